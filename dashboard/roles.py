"""One role in this process, until it is told to stop. Each imports what it needs, and no more."""

import os
from dataclasses import replace

from litestar import Litestar

from receiver.database import Database
from receiver.server import server
from receiver.settings import Settings


def serve_role(role: str, settings: Settings, database: Database, supervised: bool) -> bool:
    """False where the role could not do its work."""
    if role == "receiver":
        return _serve_receiver(settings, database, supervised)
    if role == "dashboard":
        return _serve_dashboard(settings, database, supervised)
    return _serve_worker(settings, database, supervised)


def _serve_receiver(settings: Settings, database: Database, supervised: bool) -> bool:
    from receiver.app import create_app

    app = create_app(settings, database)
    return _listen(app, settings.receiver_host, settings.receiver_port, settings, supervised)


def _serve_dashboard(settings: Settings, database: Database, supervised: bool) -> bool:
    from dashboard.app import create_app

    app = create_app(settings, database)
    return _listen(app, settings.dashboard_host, settings.dashboard_port, settings, supervised)


def _listen(app: Litestar, host: str, port: int, settings: Settings, supervised: bool) -> bool:
    listening = server(app, host, port, settings, supervised)
    listening.run()
    return listening.started


def _serve_worker(settings: Settings, database: Database, supervised: bool) -> bool:
    """Only who verifies holds the webhook's secret; the company's code runs near this process."""
    from receiver.handlers.loading import SECRETS
    from receiver.worker import serve

    for name in SECRETS:
        os.environ.pop(name, None)
    return serve(replace(settings, webhook_secrets=()), database, supervised)
