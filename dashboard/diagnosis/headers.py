"""What the names of the headers tell: one lost or renamed on the way, another product's signature."""

import re
from collections.abc import Iterator, Sequence

from dashboard.diagnosis.evidence import Evidence
from dashboard.diagnosis.finding import Finding

FAMILIES = ("svix", "webhook")
PARTS = ("id", "timestamp", "signature")
OURS = [f"{family}-{part}" for family in FAMILIES for part in PARTS]
_LIKE_OURS = re.compile(r"(?:[a-z]+[-_.])*(svix|webhook)[-_.]?(id|timestamp|signature)")
# Headers by which other products sign, and what to call those.
OTHER_PRODUCTS = {
    "stripe-signature": "Stripe",
    "x-hub-signature": "GitHub",
    "x-hub-signature-256": "GitHub",
    "x-gitlab-token": "GitLab",
    "x-shopify-hmac-sha256": "Shopify",
    "x-slack-signature": "Slack",
    "x-twilio-signature": "Twilio",
    "paddle-signature": "Paddle",
    "x-signature": "another product",
    "x-signature-256": "another product",
    "x-hmac-signature": "another product",
}


def at_the_headers(evidence: Evidence) -> Iterator[Finding]:
    names = evidence.header_names
    came_as = names_instead(names)
    if came_as:
        yield _renamed(came_as)
    elif gone := missing(names):
        yield _lost(gone)
    if product := product_of(names):
        yield of_another_product(product)
    elif not came_as and not missing(names):
        yield _unsigned(evidence.body_size)


def at_repeated(evidence: Evidence) -> Iterator[Finding]:
    if names := names_repeated(evidence.header_names):
        yield Finding(
            "header_repeated",
            f"{_listed(names)} came more than once.",
            "A proxy that adds headers must set them, not append to them (in nginx `proxy_set_header`, "
            "once).",
        )


def at_mixed(evidence: Evidence) -> Iterator[Finding]:
    ours = [name for name in evidence.header_names if name.lower() in OURS]
    yield Finding(
        "headers_mixed",
        f"These came: {', '.join(ours)}.",
        "All of them have to be svix-… or all webhook-…. A program that copies the one kind to the other "
        "has to copy all three, and take the first ones away.",
    )


def at_the_id(_evidence: Evidence) -> Iterator[Finding]:
    yield Finding(
        "id_malformed",
        "The value is not kept. The usual ways to get here: a proxy that joins repeated headers by commas, "
        "quotation marks or spaces around the id, a placeholder that was never filled in.",
        "Compare the svix-id that this client sends with the one in VOVE's list of deliveries, letter by "
        "letter.",
    )


def _renamed(renamed: dict[str, str]) -> Finding:
    pairs = ", ".join(f"{was} came as {name}" for name, was in renamed.items())
    return Finding(
        "header_renamed",
        f"A signature header was renamed on its way: {pairs}.",
        "Let the proxy, gateway or function in front of KYB Desk pass the headers on under their own "
        "names. Names with underscores come from CGI or WSGI variables that were written back as headers.",
    )


def _lost(missing: Sequence[str]) -> Finding:
    return Finding(
        "header_lost",
        f"It came without {_listed(missing)}, while the rest of the signature headers is there.",
        "Something between VOVE and KYB Desk drops it. Add it to the headers that the proxy, load "
        "balancer or CDN passes on; WAF rules and lists of allowed headers are the usual places.",
    )


def of_another_product(product: str) -> Finding:
    return Finding(
        "another_product",
        f"It carries a signature as {product} makes it, and none of Svix's, who sends for VOVE.",
        f"Somebody gave {product} this address: there, its webhook has to point elsewhere.",
    )


def _unsigned(body_size: int) -> Finding:
    probe = (
        "" if body_size else ", and the body is empty: it was probably a check whether the address answers"
    )
    return Finding(
        "unsigned",
        f"None of the three signature headers came{probe}.",
        "To try the endpoint use `kybdesk send`, which signs. If VOVE sent this, something in front of "
        "KYB Desk passes on only headers that it knows.",
    )


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def missing(names: Sequence[str]) -> list[str]:
    """Of the family that came, the headers that did not; none where nothing of it came."""
    here = {name.lower() for name in names}
    for family in FAMILIES:
        wanted = [f"{family}-{part}" for part in PARTS]
        if here & set(wanted):
            return [name for name in wanted if name not in here]
    return []


def names_instead(names: Sequence[str]) -> dict[str, str]:
    """Names that look like ours but are not, such as `x-svix-id` and `svix_id`, with what they were."""
    matches = {name: _LIKE_OURS.fullmatch(name.lower()) for name in names if name.lower() not in OURS}
    return {name: f"{match[1]}-{match[2]}" for name, match in matches.items() if match}


def names_repeated(names: Sequence[str]) -> list[str]:
    lower = [name.lower() for name in names]
    return [name for name in OURS if lower.count(name) > 1]


def product_of(names: Sequence[str]) -> str | None:
    return next((OTHER_PRODUCTS[name.lower()] for name in names if name.lower() in OTHER_PRODUCTS), None)


def has(names: Sequence[str], name: str) -> bool:
    return any(given.lower() == name for given in names)
