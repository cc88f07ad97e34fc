"""Outside production the shipped handlers reach listed addresses only: a test must not mail a customer."""

import httpx

from receiver.directory.fields import EMAIL
from receiver.handlers.raising import NoRetry
from receiver.settings import Settings

PORTS = {"http": 80, "https": 443}


def require_listed(settings: Settings, address: str, what: str) -> None:
    """Raises NoRetry where we are not in production and the address is not among the allowed ones.

    address  an e-mail address, or a URL
    what     who would be reached, such as "the customer": the message begins with it
    """
    if settings.environment == "production":
        return
    shown, entries = _covering(address)
    if entries.isdisjoint(_lower(entry) for entry in settings.allowed_addresses):
        raise NoRetry(
            f"{what[:1].upper()}{what[1:]} was not contacted: this is “{settings.environment}”, not "
            f"production, and {shown} is not on the list of addresses that may be reached from here "
            "(KYBDESK_ALLOWED_ADDRESSES)"
        )


def _covering(address: str) -> tuple[str, set[str]]:
    """The address without what may be secret in it, and the entries of the list that would cover it: whole
    ones, so that no part of an address can pass for another."""
    if "://" in address:
        return _covering_url(address)
    if not EMAIL.fullmatch(address) or not address.isprintable():
        return f"“{address}”", set()
    email = _lower(address)
    return address, {email, email[email.index("@") :]}


def _covering_url(address: str) -> tuple[str, set[str]]:
    """As the client reads it that will call it: two readers may take different parts for the host."""
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, UnicodeError):
        return "an address that can't be read", set()
    port = url.port or PORTS.get(url.scheme)
    if not url.host or port is None:
        return "an address that can't be read", set()
    host = f"[{url.host}]" if ":" in url.host else url.host
    return (f"{host}:{url.port}" if url.port else host), {url.host, host, f"{host}:{port}"}


def _lower(text: str) -> str:
    """Of ASCII alone, in which addresses are alike: `str.lower` makes a k of the sign for kelvin."""
    return text.encode(errors="replace").lower().decode()
