"""The files below static/, read once at start-up: what was hashed is what is served, and no path
leads elsewhere."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from dashboard.aliases import AnyRequest

MEDIA_TYPES = {  # Litestar adds the charset
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
}
FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    content: bytes
    media_type: str
    version: str


class Assets:
    def __init__(self, directory: Path) -> None:
        self._assets = {
            path.relative_to(directory).as_posix(): _read(path)
            for path in directory.rglob("*")
            if path.suffix in MEDIA_TYPES
        }

    def __getitem__(self, path: str) -> Asset:
        return self._assets[path]

    def address(self, path: str) -> str:
        """`/static/css/base.css?v=…`; of a vendored file, whose name holds its version, without a query."""
        asset = self._assets[path]
        return f"/static/{path}" if _vendored(path) else f"/static/{path}?v={asset.version}"


@get("/static/{file_path:path}", opt={"public": True})
async def static_file(request: AnyRequest, file_path: FromPath[str]) -> Response[bytes]:
    path = file_path.removeprefix("/")
    try:
        asset: Asset = request.app.state.assets[path]
    except KeyError:
        raise NotFoundException from None
    # Only under this very version: while a new release rolls out, its addresses may reach an old process.
    lasting = _vendored(path) or request.query_params.get("v") == asset.version
    cache = FOREVER if lasting else "no-cache"
    return Response(asset.content, media_type=asset.media_type, headers={"Cache-Control": cache})


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(content, MEDIA_TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:16])


def _vendored(path: str) -> bool:
    return path.startswith("vendor/")
