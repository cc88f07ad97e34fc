"""What the commands share: settings, the database, and what went wrong in words."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import click
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from dashboard.auth.users import UserError, normal_email
from receiver.database import Database, DatabaseError
from receiver.handlers.loading import HandlersError
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


by_whom = click.option("--by", metavar="EMAIL", required=True, callback=_email, help="Who you are.")


def webhook(settings: Settings) -> str:
    return f"http://{settings.receiver_host}:{settings.receiver_port}{PATH.decode()}"
