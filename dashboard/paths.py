"""Paths are compared as they came. The router takes `//cases`, `/cases/` and `/cases%2F` for `/cases`."""

from urllib.parse import unquote_to_bytes

from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler

from dashboard.aliases import AnyConnection

CASE = b"/cases/"


async def exact_path(connection: AnyConnection, _handler: BaseRouteHandler) -> None:
    """A guard: one thing has one address. A `ref_id` may hold anything, and is read by `ref_id_of`."""
    if "ref_id" in connection.path_params:
        return
    raw = _raw_path(connection)
    ids = [value for value in connection.path_params.values() if isinstance(value, int)]
    if raw != connection.scope["path"].encode() or not all(_is_id(n, raw) for n in ids):
        raise NotFoundException


def _is_id(number: int, raw_path: bytes) -> bool:
    """`/runs/01` and `/runs/1_0` would be read as numbers too; and no table counts further than this."""
    return str(number).encode() in raw_path.split(b"/") and 0 <= number < 2**63


def ref_id_of(connection: AnyConnection) -> str:
    """The ref_id in `/cases/{ref_id:path}`, unquoted once: of `/cases/a%2Fb/` it is `a/b/`.

    Raises NotFoundException where it is no text that a case could have.
    """
    raw = _raw_path(connection)
    try:
        ref_id = unquote_to_bytes(raw.removeprefix(CASE)).decode()
    except UnicodeDecodeError:
        raise NotFoundException from None
    if not raw.startswith(CASE) or not ref_id or "\0" in ref_id:
        raise NotFoundException
    return ref_id


def local_path(wanted: str) -> str:
    """Where to go after signing in: never to another site, as `//evil`, `/\\evil` and `/<tab>/evil` are."""
    plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted and " " not in wanted
    return wanted if plain and wanted.startswith("/") and not wanted.startswith("//") else "/"


def _raw_path(connection: AnyConnection) -> bytes:
    return connection.scope["raw_path"]
