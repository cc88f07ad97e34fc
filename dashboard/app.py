"""The internal ASGI app: pages behind a sign-in, and what every one of them has in common."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from litestar import Litestar, Request, get
from litestar.datastructures import FormMultiDict
from litestar.di import Provide
from litestar.enums import MediaType, ScopeType
from litestar.exceptions import ValidationException
from litestar.types import ASGIApp, Receive, Scope, Send
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard import live, pages
from dashboard.aliases import AnyRequest
from dashboard.assets import Assets, static_file
from dashboard.auth.guards import NotSignedIn, lead_to_sign_in, signed_in
from dashboard.auth.origins import known_host, same_site
from dashboard.auth.throttle import TRIES_BY_ADDRESS, SignInThrottle, Throttle
from dashboard.errors import EXCEPTION_HANDLERS
from dashboard.exports.progress import Exports
from dashboard.frame import find_frame
from dashboard.headers import add_headers
from dashboard.paths import exact_path
from dashboard.render import templates
from dashboard.taking import HEAD
from dashboard.zones import tell_times_as_chosen
from receiver.database import Database
from receiver.presence import Presence
from receiver.settings import Settings

ROOT = Path(__file__).parent.parent
MAX_BODY = 1024 * 1024  # bytes: a form with a tick for each of many runs


def create_app(settings: Settings, database: Database) -> Litestar:
    app = Litestar(
        [healthz, static_file, live.changed, *pages.routes],
        guards=[tell_times_as_chosen, exact_path, known_host, same_site, signed_in],
        dependencies={"reader": Provide(_reader), "writer": Provide(_writer)},
        exception_handlers={**EXCEPTION_HANDLERS, NotSignedIn: lead_to_sign_in},
        before_send=[add_headers],
        after_exception=[find_frame],
        request_class=_Request,
        lifespan=[_engines(database), _presence(database)],
        request_max_body_size=MAX_BODY,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    assets = Assets(ROOT / "static")
    app.state.update(
        settings=settings,
        assets=assets,
        templates=templates(ROOT / "templates", assets),
        sign_in_throttle=SignInThrottle(),
        link_throttle=Throttle(TRIES_BY_ADDRESS),
        exports=Exports(),
    )
    app.asgi_handler = _head_as_get(app.asgi_handler)
    return app


class _Request(Request[Any, Any, Any]):
    async def form(self) -> FormMultiDict:
        """Litestar fails at a part in an encoding that there is not, or that is another one."""
        try:
            form = await super().form()
            for text in form.values():
                if isinstance(text, str):
                    text.encode()  # half a character would fail further down
        except (LookupError, UnicodeError):
            raise ValidationException("the form can't be read") from None
        return form


@get("/healthz", media_type=MediaType.TEXT, opt={"public": True, "any_host": True})
async def healthz() -> str:
    return "ok"


def _engines(database: Database) -> Any:
    @asynccontextmanager
    async def opened(app: Litestar) -> AsyncGenerator[None]:
        readers, writer = database.page_readers(), database.page_writer()
        app.state.update(readers=readers, writer=writer)
        try:
            yield
        finally:
            await readers.dispose()
            await writer.dispose()

    return opened


def _presence(database: Database) -> Any:
    @asynccontextmanager
    async def present(_app: Litestar) -> AsyncGenerator[None]:
        presence = Presence(database, "dashboard")
        presence.start()
        yield
        await asyncio.to_thread(presence.stop)

    return present


async def _reader(request: AnyRequest) -> AsyncGenerator[AsyncConnection]:
    """A transaction that ends with the handler, before the answer is sent."""
    async with request.app.state.readers.begin() as connection:
        yield connection


async def _writer(request: AnyRequest) -> AsyncGenerator[AsyncConnection]:
    """Committed before the answer is sent. It reads too: a handler that asks for both would wait for itself,
    where SQLite has a rollback journal. The form has come by then: a slow browser would hold all writers.
    """
    await request.body()
    async with request.app.state.writer.begin() as connection:
        yield connection


def _head_as_get(app: ASGIApp) -> ASGIApp:
    """HEAD is GET to us. The server, which still sees HEAD, leaves the body out."""

    async def head_as_get(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["method"] == "HEAD":
            scope = cast(Scope, {**scope, "method": "GET", HEAD: True})
        await app(scope, receive, send)

    return head_as_get
