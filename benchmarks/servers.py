"""The receiver and what stands beside it, each a server in a process of its own, on a core of its own.

python -m benchmarks.servers NAME PORT FILE CORE
"""

import logging
import sys
from pathlib import Path

import waitress  # type: ignore[import-untyped]
from litestar import Litestar, post
from sqlalchemy import URL

from benchmarks import flask_view, orm_route
from benchmarks.cores import stay_on
from benchmarks.load import HOST, SECRET
from receiver.app import create_app
from receiver.database import Database
from receiver.server import server
from receiver.settings import Settings

FLASK_THREADS = 8


def receiver(port: int, file: Path) -> None:
    database = Database(URL.create("sqlite", database=str(file)))
    database.migrate()
    settings = Settings(webhook_secrets=(SECRET,))
    server(create_app(settings, database), HOST, port, settings).run()


def empty_route(port: int, _file: Path) -> None:
    @post("/webhooks/vove-kyb")
    async def receive_webhook() -> str:
        return "ok"

    app = Litestar([receive_webhook], openapi_config=None, logging_config=None)
    server(app, HOST, port, Settings()).run()


def flask(port: int, file: Path) -> None:
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns of every request that waits
    waitress.serve(flask_view.create_app(SECRET, file), host=HOST, port=port, threads=FLASK_THREADS)


def orm(port: int, file: Path) -> None:
    server(orm_route.create_app(SECRET, file), HOST, port, Settings()).run()


SERVERS = {"receiver": receiver, "empty route": empty_route, "Flask view": flask, "async ORM": orm}
DURABLE = ("receiver", "Flask view", "async ORM")  # they keep their events in `events`

if __name__ == "__main__":
    stay_on(int(sys.argv[4]))
    SERVERS[sys.argv[1]](int(sys.argv[2]), Path(sys.argv[3]))
