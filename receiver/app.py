"""The public ASGI app: the webhook, `/healthz`, `/readyz`. No cookies, no pages, no OpenAPI."""

import gc
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from litestar import Litestar, MediaType, Response, get
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from receiver.database import Database
from receiver.ledger import Ledger, Unavailable
from receiver.presence import Presence
from receiver.settings import Settings
from receiver.verification import Verifier
from receiver.webhook import PATH, RETRY_AFTER, Webhook


def create_app(settings: Settings, database: Database, clock: Callable[[], float] = time.time) -> Litestar:
    """The receiver. Raises SettingsError where there is no webhook secret."""
    verifier = Verifier(settings.require_secrets())
    ledger = Ledger(database)
    presence = Presence(database, "receiver")
    webhook = Webhook(verifier, ledger, clock)

    @get("/healthz", media_type=MediaType.TEXT)
    async def healthz() -> str:
        return "ok"

    @get("/readyz", media_type=MediaType.TEXT)
    async def readyz() -> Response[str]:
        try:
            await ledger.check()
        except Unavailable:
            return Response("unavailable", status_code=503, headers={"retry-after": RETRY_AFTER.decode()})
        return Response("ready")

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        ledger.start()
        presence.start()
        gc.freeze()  # what start-up made stays: the collector need not look at it again and again
        gc.set_threshold(50_000, 20, 20)
        yield
        ledger.close()
        presence.stop()

    app = Litestar(
        route_handlers=[healthz, readyz],
        lifespan=[lifespan],
        openapi_config=None,
        debug=False,
        logging_config=None,
    )
    app.asgi_handler = _webhook_first(webhook, app.asgi_handler)
    return app


def _webhook_first(webhook: Webhook, others: ASGIApp) -> ASGIApp:
    """The webhook needs none of a router, and its path is compared as it came, which no router does."""

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["raw_path"] == PATH:
            await webhook(scope, receive, send)
        else:
            await others(scope, receive, send)

    return handle
