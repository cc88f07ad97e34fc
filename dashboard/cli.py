"""The `kybdesk` command: the only place that puts receiver, worker and dashboard together."""

import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import click
import httpx
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from dashboard import sending
from dashboard.auth.users import Role, UserError, add_user
from dashboard.demo.stage import Demo
from dashboard.roles import serve_role
from dashboard.supervisor import ROLES, Supervisor, stop_with_supervisor
from receiver import settings as settings_room
from receiver.database import Database, DatabaseError
from receiver.handlers.loading import HandlersError, describe
from receiver.ledger import rebuild
from receiver.settings import Settings, SettingsError
from receiver.webhook import PATH

log = logging.getLogger("kybdesk")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kybdesk")
def main() -> None:
    """KYB Desk stands between VOVE ID and your compliance team."""
    with _in_words():
        _start_logging()


@main.command()
@click.option("--port", default=None, type=int, help="The dashboard's port (8000, or a free one).")
def demo(port: int | None) -> None:
    """Everything on a throwaway database, with an invented VOVE that sends signed webhooks."""
    with _in_words():
        Demo(port).run()


@main.command()
@click.argument("role", required=False, type=click.Choice(ROLES))
@click.option("--alive-fd", type=int, hidden=True, help="Given by the supervisor.")
def serve(role: str | None, alive_fd: int | None) -> None:
    """Start the receiver, the dashboard and the worker, or one of them alone."""
    with _in_words():
        settings = _settings()
        if role != "worker":
            settings.require_secrets()
        _prepare(_database())
        if alive_fd is not None:
            stop_with_supervisor(alive_fd)
        if role is None:
            _supervise(settings)
        elif not serve_role(role, settings, _database(), supervised=alive_fd is not None):
            sys.exit(1)


def _prepare(database: Database) -> None:
    """SQLite is migrated by whoever comes first; a PostgreSQL is its operator's to migrate."""
    if database.path is not None:
        database.migrate()
    database.check_schema()


def _supervise(settings: Settings) -> None:
    supervisor = Supervisor()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    click.echo(f"Dashboard  {settings.dashboard_url}")
    click.echo(f"Webhook    {_webhook(settings)}")
    click.echo("Ctrl-C ends it.")
    supervisor.run()


@main.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    with _in_words():
        _database().migrate()
        click.echo("The database is up to date.")


@main.command()
@click.option("--ref-id", required=True, help="Your reference of the business.")
@click.option("--status", required=True, help="Such as IN_PROGRESS, IN_REVIEW, COMPLETED, REJECTED.")
@click.option("--previous-status", help="The status before (the one that usually stands before).")
@click.option("--reason", help="Of a rejection, such as DOCUMENT_MISMATCH.")
@click.option("--svix-id", help="The message's id; give the same again to repeat a delivery.")
@click.option("--url", help="The endpoint (the receiver of these settings).")
@click.option("--curl", is_flag=True, help="Print the cURL command instead of sending.")
def send(
    ref_id: str,
    status: str,
    previous_status: str | None,
    reason: str | None,
    svix_id: str | None,
    url: str | None,
    curl: bool,
) -> None:
    """Sign one event with VOVE_WEBHOOK_SECRET and send it."""
    with _in_words():
        settings = _settings()
        body = sending.payload(ref_id, status, previous_status, reason)
        signed = sending.sign(body, settings.require_secrets()[0], svix_id or sending.new_message_id())
        url = url or _webhook(settings)
        if curl:
            click.echo(signed.as_curl(url))
            click.echo("The signature holds for five minutes.", err=True)
        else:
            _post(url, signed)


def _webhook(settings: Settings) -> str:
    return f"http://{settings.receiver_host}:{settings.receiver_port}{PATH.decode()}"


def _post(url: str, signed: sending.SignedRequest) -> None:
    try:
        answer = httpx.post(url, content=signed.body, headers=signed.headers, timeout=15)
    except httpx.HTTPError as error:
        raise click.ClickException(f"{url} can't be reached: {error}") from None
    click.echo(f"{answer.status_code} {answer.text[:200]}  {signed.headers['svix-id']}")
    if not answer.is_success:
        sys.exit(1)


@main.group()
def user() -> None:
    """Who may sign in to the dashboard."""


@user.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice([str(role) for role in Role]), required=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add(email: str, role: str, password_stdin: bool) -> None:
    """Add a user. A viewer sees everything; the other roles may re-process too."""
    with _in_words():
        if password_stdin:
            password = sys.stdin.readline().rstrip("\r\n")
        else:
            password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        _prepare(_database())
        with _writing() as connection:
            add_user(connection, email, role, password)
        click.echo(f"{email} may sign in as {role} at {_settings().dashboard_url}")


@main.command("rebuild-cases")
@click.option("--check", is_flag=True, help="Compare only; exits with 1 where a case differs.")
def rebuild_cases(check: bool) -> None:
    """Compute every case anew from its events, and compare."""
    with _in_words():
        _database().check_schema()
        engine = _database().writer()
        result = rebuild.rebuild(engine, write=not check)
        engine.dispose()
        for ref_id in result.differing[:20]:
            click.echo(f"differs: {ref_id}")
        for status in result.miscounted:
            click.echo(f"miscounted: {status}")
        click.echo(
            f"{result.cases} cases, {len(result.differing)} differ" + ("" if check else ", all rebuilt")
        )
        if check and (result.differing or result.miscounted):
            sys.exit(1)


@main.command()
def handlers() -> None:
    """List the handlers that KYBDESK_HANDLERS names; exits with 1 where a module can't be imported."""
    with _in_words():
        modules = _settings().handler_modules
        if not modules:
            click.echo("No handlers: KYBDESK_HANDLERS names no module.")
        for handler in describe(modules):
            statuses = ", ".join(handler.statuses) or "every event"
            click.echo(f"{handler.name}  {statuses}  {handler.title}{'  once' if handler.once else ''}")


@cache
def _settings() -> Settings:
    return settings_room.load()


def _database() -> Database:
    return Database(_settings().database_url)


@contextmanager
def _writing() -> Iterator[Connection]:
    engine = _database().writer()
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _in_words() -> Iterator[None]:
    """What a person can set right is said in a line; the rest keeps its traceback."""
    try:
        yield
    except (SettingsError, DatabaseError, HandlersError, UserError) as error:
        raise click.ClickException(str(error)) from None
    except SQLAlchemyError as error:
        raise click.ClickException(f"The database can't be used: {getattr(error, 'orig', error)}") from None


def _start_logging() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", stream=sys.stderr
    )
    for name in ("uvicorn.error", "alembic", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)


if __name__ == "__main__":
    main()
