"""Hands events on to the company's own services: the bytes as VOVE sent them, signed anew.

What receives VOVE's webhooks can so receive these, with KYBDESK_FORWARD_SECRET in the place of VOVE's secret.
Each address of KYBDESK_FORWARD_TO has a handler of its own, with its own runs, tries and pauses.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

import httpx

from receiver.handlers import Context, Event, handles
from receiver.handlers.chosen import SETTINGS, required
from receiver.handlers.posting import Service, post, service
from receiver.settings import SettingsError, Target

SETTING = "KYBDESK_FORWARD_TO"
LONGEST_SLUG = 60  # characters: an address's path may be anything, and people type names


def register(targets: Iterable[Target]) -> None:
    """Raises SettingsError where an address can't be called, or stands there twice."""
    secret, chosen = SETTINGS.forward_secret, tuple(targets)
    services = [service("The service", SETTING, target.url, secret) for target in chosen]
    _require_each_once(services)
    places = Counter(each.place for each in services)
    names: set[str] = set()
    for target, each in zip(chosen, services, strict=True):
        name = _name(each.url, names)
        names.add(name)
        shown = each.place if places[each.place] == 1 else each.place + each.url.path
        _register(each, name, f"Forward to {shown}", target.statuses)


def _require_each_once(services: Iterable[Service]) -> None:
    requests = Counter((each.url.scheme, each.place, each.url.raw_path) for each in services)
    for (_, place, _), times in requests.items():
        if times > 1:
            raise SettingsError(
                f"{SETTING} names an address at {place} twice: write it once, with all its statuses behind it"
            )


def _name(url: httpx.URL, taken: set[str]) -> str:
    """By which runs know their handler: it must not change while the address does not."""
    slug = re.sub("[^a-z0-9]+", "_", (url.netloc.decode() + url.path).lower()).strip("_")
    name = f"forward_to_{slug[:LONGEST_SLUG]}"
    if name in taken or len(slug) > LONGEST_SLUG:
        return f"{name}_{hashlib.sha256(str(url).encode()).hexdigest()[:8]}"
    return name


def _register(service: Service, name: str, title: str, statuses: Iterable[str]) -> None:
    async def forward(event: Event, context: Context) -> str:
        answer = await post(service, event.body, event.svix_id, context)
        return f"Forwarded: the service answered {answer}"

    forward.__name__ = name
    handles(*statuses, title=title)(forward)


register(required(SETTING, SETTINGS.forward_to or None))
