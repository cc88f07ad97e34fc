"""What the commands share: settings, the database, and what went wrong in words."""

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

import click
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from dashboard.auth.users import User, UserError, normal_email
from receiver.database import Database, DatabaseError
from receiver.handlers.loading import HandlersError
from receiver.models import users
from receiver.settings import Settings, SettingsError, load
from receiver.webhook import PATH


@cache
def settings() -> Settings:
    return load()


def database() -> Database:
    return Database(settings().database_url)


def prepare(database: Database) -> None:
    """SQLite is migrated by whoever comes first; a PostgreSQL is its operator's to migrate."""
    if database.path is not None:
        database.migrate()
    database.check_schema()


@contextmanager
def writing() -> Iterator[Connection]:
    engine = database().writer()
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def in_words() -> Iterator[None]:
    """What a person can set right is said in a line; the rest keeps its traceback."""
    try:
        yield
    except (SettingsError, DatabaseError, HandlersError, UserError) as error:
        raise click.ClickException(str(error)) from None
    except SQLAlchemyError as error:
        raise click.ClickException(f"The database can't be used: {getattr(error, 'orig', error)}") from None


def _email(_context: click.Context, _parameter: click.Parameter, given: str) -> str:
    email = normal_email(given)
    if email is None:
        raise click.BadParameter(f"{given!r} is no e-mail address")
    return email


def by_command(command: str) -> str:
    """Who did what a command does for nobody in particular: `kybdesk user add (root)`."""
    try:
        return f"{command} ({getpass.getuser()})"
    except (OSError, KeyError):  # a process may have no name for its user
        return command


class Right(NamedTuple):
    """What the page would ask of who does the same there."""

    holds: Callable[[User], bool]
    refused: str


def known_user(connection: Connection, email: str, right: Right) -> str:
    """Who acts: somebody who may sign in, and whose role allows it, until the transaction ends: so it is the
    act's own. Raises UserError."""
    person = select(users).where(users.c.email == normal_email(email))
    row = connection.execute(person.with_for_update(read=True)).one_or_none()
    if row is None:
        raise UserError(f"There is no user {email}")
    if row.disabled_at is not None:
        raise UserError(f"{row.email} may not sign in, and so may not do this")
    if not row.password_hash:
        raise UserError(f"{row.email} has no password yet, and so may not do this")
    if not right.holds(User(row.id, row.email, row.role)):
        raise UserError(f"{row.email} {right.refused}")
    return str(row.email)


by_whom = click.option(
    "--by", metavar="EMAIL", required=True, callback=_email, help="Who you are, a user of the dashboard."
)


def webhook(settings: Settings) -> str:
    return f"http://{settings.receiver_host}:{settings.receiver_port}{PATH.decode()}"
