"""Is this our address, and does a request that changes something come from our own pages?"""

from ipaddress import ip_address
from typing import cast
from urllib.parse import urlsplit

from litestar.handlers import BaseRouteHandler
from litestar.types import HTTPScope

from dashboard.aliases import AnyConnection
from dashboard.errors import PageError
from receiver.settings import Settings

EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104  # as a host to bind: every address of the machine


async def known_host(connection: AnyConnection, handler: BaseRouteHandler) -> None:
    """A guard against DNS rebinding: a stranger's name that resolves to us makes us a part of his site."""
    if handler.opt.get("any_host") or is_ours(connection):
        return
    raise PageError(
        421,
        "This address is not KYB Desk's",
        "KYB Desk answers only under the address that it was set up with.",
        "If this address is right, set KYBDESK_DASHBOARD_URL to it and restart KYB Desk.",
    )


async def same_site(connection: AnyConnection, _handler: BaseRouteHandler) -> None:
    """A guard: only our own pages may change something in the name of whoever is signed in.

    Every browser says where a form comes from, in one of two headers. What sends neither is no browser,
    and nothing else is meant to post here.
    """
    if only_reads(connection):
        return
    site, origin = connection.headers.get("Sec-Fetch-Site"), connection.headers.get("Origin")
    if site in {"same-origin", "none"} or (site is None and origin in _our_origins(connection)):
        return
    raise PageError(
        403,
        "This did not come from KYB Desk",
        "Another site, or a program, tried to do something here in your name. Nothing was changed.",
        "If it was you, open the page in KYB Desk and try again.",
    )


def only_reads(connection: AnyConnection) -> bool:
    return cast(HTTPScope, connection.scope)["method"] in {"GET", "HEAD"}


def is_secure(connection: AnyConnection) -> bool:
    """The scheme is the one that a trusted proxy names, see receiver/server.py."""
    return connection.scope["scheme"] == "https"


def is_local(connection: AnyConnection) -> bool:
    return _is_loopback(_hostname(connection))


def is_ours(connection: AnyConnection) -> bool:
    """Whether we were asked under an address of our own."""
    name, settings = _hostname(connection), connection.app.state.settings
    return _is_ours(name, settings)


def client_address(connection: AnyConnection) -> str:
    """As a trusted proxy names it, see receiver/server.py."""
    return connection.client.host if connection.client else ""


def _is_ours(name: str, settings: Settings) -> bool:
    if settings.dashboard_host in EVERYWHERE and _is_address(name):
        return True  # an address can't be made to resolve to another
    ours = {urlsplit(settings.dashboard_url).hostname, settings.dashboard_host.lower()}
    return bool(name) and (name in ours or _is_loopback(name))


def _hostname(connection: AnyConnection) -> str:
    hosts = connection.headers.getall("Host", [])
    try:
        parts = urlsplit(f"//{hosts[0]}" if len(hosts) == 1 else "")
        return parts.hostname or "" if parts.port != 0 else ""
    except ValueError:  # brackets that do not close, a port that is no number
        return ""


def _our_origins(connection: AnyConnection) -> set[str]:
    settings: Settings = connection.app.state.settings
    return {f"{connection.scope['scheme']}://{connection.headers['Host']}", settings.dashboard_url}


def _is_loopback(name: str) -> bool:
    return name == "localhost" or (_is_address(name) and ip_address(name).is_loopback)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
