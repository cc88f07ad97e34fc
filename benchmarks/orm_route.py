"""What one would write first in Litestar: an async session and one transaction for each request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from litestar import Litestar, Request, post
from litestar.exceptions import NotAuthorizedException
from sqlalchemy import event, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from svix.webhooks import Webhook, WebhookVerificationError


class Base(DeclarativeBase):
    pass


class Event(Base):
    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    svix_id: Mapped[str] = mapped_column(unique=True)
    ref_id: Mapped[str]
    status: Mapped[str]
    body: Mapped[bytes]


class Case(Base):
    __tablename__ = "cases"

    id: Mapped[int] = mapped_column(primary_key=True)
    ref_id: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str]


def create_app(secret: str, file: Path) -> Litestar:
    webhook = Webhook(secret)
    engine = _engine(file)
    new_session = async_sessionmaker(engine, expire_on_commit=False)

    @post("/webhooks/vove-kyb")
    async def receive_webhook(request: Request[Any, Any, Any]) -> str:
        body = await request.body()
        try:
            webhook.verify(body, dict(request.headers))
        except WebhookVerificationError:
            raise NotAuthorizedException from None
        payload = await request.json()
        svix_id, ref_id, status = request.headers["svix-id"], payload["refId"], payload["status"]
        async with new_session.begin() as session:
            if await session.scalar(select(Event).where(Event.svix_id == svix_id)):
                return "duplicate"
            session.add(Event(svix_id=svix_id, ref_id=ref_id, status=status, body=body))
            await session.execute(
                insert(Case)
                .values(ref_id=ref_id, status=status)
                .on_conflict_do_update(index_elements=[Case.ref_id], set_={"status": status})
            )
        return "accepted"

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield
        await engine.dispose()

    return Litestar([receive_webhook], lifespan=[lifespan], openapi_config=None, logging_config=None)


def _engine(file: Path) -> AsyncEngine:
    engine = create_async_engine(f"sqlite+aiosqlite:///{file}", connect_args={"timeout": 30})

    @event.listens_for(engine.sync_engine, "connect")
    def set_pragmas(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    return engine
