"""`kybdesk user`."""

import sys
from datetime import UTC, datetime

import click

from dashboard.auth.users import Role, add_user, normal_email
from dashboard.cli.common import by_command, database, in_words, prepare, settings, writing
from receiver.activity import Kind, note


@click.group()
def user() -> None:
    """Who may sign in to the dashboard."""


@user.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice([str(role) for role in Role]), required=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add(email: str, role: str, password_stdin: bool) -> None:
    """Add a user. A viewer sees everything; the other roles may act too."""
    with in_words():
        if password_stdin:
            password = sys.stdin.readline().rstrip("\r\n")
        else:
            password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        prepare(database())
        with writing() as connection:
            add_user(connection, email, role, password)
            by = by_command("kybdesk user add")
            note(connection, Kind.USER_ADDED, by, datetime.now(UTC), subject=normal_email(email), detail=role)
        click.echo(f"{email} may sign in as {role} at {settings().dashboard_url}")
