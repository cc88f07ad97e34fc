"""`kybdesk user`: for scripts, and for who is locked out of the pages."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy import Connection, Row, select

from dashboard.auth import people
from dashboard.auth.links import HOLDS, link_address
from dashboard.auth.users import Role, add_user, check_new, normal_email
from dashboard.cli.common import by_command, database, in_words, prepare, settings, writing
from dashboard.filters import visible
from receiver.activity import Kind, note
from receiver.models import users

ROLE = click.Choice([str(role) for role in Role])


@click.group()
def user() -> None:
    """Who may sign in to the dashboard."""


@user.command("add")
@click.argument("email")
@click.option("--role", type=ROLE, required=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--link", "by_link", is_flag=True, help="Print a link by which they choose a password, once.")
def add(email: str, role: str, password_stdin: bool, by_link: bool) -> None:
    """Add a user. A viewer sees everything; the other roles may act too."""
    if by_link and password_stdin:
        raise click.UsageError("Either you give the password, or they choose it by the link")
    with _acting("kybdesk user add") as (connection, _by):
        check_new(connection, email)
    if by_link:
        _add_by_link(email, role)
    else:
        _add_with(_password(password_stdin), email, role)


def _password(password_stdin: bool) -> str:
    if password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _add_with(password: str, email: str, role: str) -> None:
    with _acting("kybdesk user add") as (connection, by):
        add_user(connection, email, role, password)
        note(connection, Kind.USER_ADDED, by, datetime.now(UTC), subject=normal_email(email), detail=role)
    click.echo(f"{email} may sign in as {role} at {settings().dashboard_url}")


def _add_by_link(email: str, role: str) -> None:
    with _acting("kybdesk user add") as (connection, by):
        token = people.add_person(connection, email, role, by, datetime.now(UTC))
    _print_link(token)


@user.command("list")
def list_users() -> None:
    """Say who there is, with which role, and who may sign in."""
    with in_words():
        prepare(database())
        with writing() as connection:
            found = connection.execute(select(users).order_by(users.c.email)).all()
    for row in found:
        click.echo(f"{visible(row.email)}  {visible(row.role)}  {_may_sign_in(row)}  {_seen(row.seen_at)}")
    if not found:
        click.echo("There is nobody yet: kybdesk user add EMAIL --role admin")


@user.command("role")
@click.argument("email")
@click.argument("role", type=ROLE)
def change_role(email: str, role: str) -> None:
    """Change what somebody may do. They have to sign in again."""
    with _acting("kybdesk user role") as (connection, by):
        people.change_role(connection, email, role, by, datetime.now(UTC))
    click.echo(f"{email} has the role {role}.")


@user.command("disable")
@click.argument("email")
def disable(email: str) -> None:
    """Stop somebody from signing in, at once."""
    with _acting("kybdesk user disable") as (connection, by):
        people.disable_user(connection, email, by, datetime.now(UTC))
    click.echo(f"{email} may not sign in.")


@user.command("enable")
@click.argument("email")
def enable(email: str) -> None:
    """Let somebody sign in again."""
    with _acting("kybdesk user enable") as (connection, by):
        people.enable_user(connection, email, by, datetime.now(UTC))
    click.echo(f"{email} may sign in.")


@user.command("link")
@click.argument("email")
def link(email: str) -> None:
    """Print a link by which somebody chooses a password, once."""
    with _acting("kybdesk user link") as (connection, by):
        token = people.give_link(connection, email, by, datetime.now(UTC))
    _print_link(token)


def _print_link(token: str) -> None:
    click.echo(link_address(settings().dashboard_url, token))
    click.echo(f"It works once, within {HOLDS.days} days, unless a newer one is made.", err=True)


@contextmanager
def _acting(command: str) -> Iterator[tuple[Connection, str]]:
    """A transaction, and who acts in it."""
    with in_words():
        prepare(database())
        with writing() as connection:
            yield connection, by_command(command)


def _may_sign_in(row: Row[Any]) -> str:
    if row.disabled_at:
        return "may not sign in"
    return "may sign in" if row.password_hash else "has no password yet"


def _seen(at: datetime | None) -> str:
    return f"{at:last here %-d %b %Y, %H:%M} UTC" if at else "not here yet"
