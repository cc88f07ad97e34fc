"""The public ASGI app: the webhook, `/healthz`, `/readyz`. No cookies, no pages, no OpenAPI."""

import gc
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from litestar import Litestar, MediaType, Response, get
from litestar.handlers import asgi
from litestar.types import HTTPScope, Receive, Scope, Send

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

    @asgi(PATH.decode(), copy_scope=False)
    async def receive_webhook(scope: Scope, receive: Receive, send: Send) -> None:
        await webhook(cast(HTTPScope, scope), receive, send)  # the server speaks no WebSocket

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

    return Litestar(
        route_handlers=[receive_webhook, healthz, readyz],
        lifespan=[lifespan],
        openapi_config=None,
        debug=False,
        logging_config=None,
    )
