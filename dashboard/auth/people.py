"""What administrators do about who may sign in: each act with its note, and with the sessions that it ends.

`by` is an administrator's e-mail address, or the command that acts in nobody's name. UserError says in words
why something can't be.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update

from dashboard.auth.links import make_link, void_link, void_links_by
from dashboard.auth.users import Role, UserError, add_user, checked_role, end_sessions, normal_email
from receiver.activity import Kind, note
from receiver.models import users


def add_person(connection: Connection, email: str, role: str, by: str, now: datetime) -> str:
    """Returns the token of the link by which they choose a password."""
    _lock(connection, email, by)
    user_id = add_user(connection, email, role)
    note(connection, Kind.USER_ADDED, by, now, subject=normal_email(email), detail=role)
    return make_link(connection, user_id, by, now)


def change_role(connection: Connection, email: str, role: str, by: str, now: datetime) -> None:
    role, people = checked_role(role), _lock(connection, email, by)
    person = _of(people, email)
    if person.role == role:
        return
    if person.email == by:
        raise UserError("You can't change your own role: another administrator can")
    _keep_an_admin(people, person)
    connection.execute(update(users).where(users.c.id == person.id).values(role=role))
    end_sessions(connection, person.id)
    void_links_by(connection, person.email)
    note(connection, Kind.ROLE_CHANGED, by, now, subject=person.email, detail=role)


def disable_user(connection: Connection, email: str, by: str, now: datetime) -> None:
    people = _lock(connection, email, by)
    person = _of(people, email)
    if person.disabled_at is not None:
        return
    if person.email == by:
        raise UserError("You can't stop yourself from signing in: another administrator can")
    _keep_an_admin(people, person)
    connection.execute(update(users).where(users.c.id == person.id).values(disabled_at=now))
    end_sessions(connection, person.id)
    void_link(connection, person.id)
    void_links_by(connection, person.email)
    note(connection, Kind.USER_DISABLED, by, now, subject=person.email)


def enable_user(connection: Connection, email: str, by: str, now: datetime) -> None:
    person = _of(_lock(connection, email, by), email)
    if person.disabled_at is not None:
        connection.execute(update(users).where(users.c.id == person.id).values(disabled_at=None))
        note(connection, Kind.USER_ENABLED, by, now, subject=person.email)


def give_link(connection: Connection, email: str, by: str, now: datetime) -> str:
    """Returns its token. The one before no longer holds; the password does, until another is chosen."""
    person = _of(_lock(connection, email, by), email)
    if person.disabled_at is not None:
        raise UserError(f"{person.email} may not sign in: let them in again first")
    if person.email == by:  # or whoever finds a desk unlocked could make it theirs
        raise UserError("You change your own password with the one that you have")
    note(connection, Kind.LINK_MADE, by, now, subject=person.email)
    return make_link(connection, person.id, by, now)


def _lock(connection: Connection, email: str, by: str) -> Mapping[str, Row[Any]]:
    """That person and all administrators, by their addresses, until the transaction ends.

    Of two administrators who act on each other at the same moment, the second one is none any more.
    """
    these = or_(users.c.role == Role.ADMIN, users.c.email == normal_email(email))
    rows = connection.execute(select(users).where(these).order_by(users.c.id).with_for_update())
    people = {row.email: row for row in rows}
    if normal_email(by) is not None and by not in _admins(people):
        raise UserError("You are no longer an administrator: nothing was changed")
    return people


def _of(people: Mapping[str, Row[Any]], email: str) -> Row[Any]:
    person = people.get(normal_email(email) or "")
    if person is None:
        raise UserError(f"There is no user {email}")
    return person


def _keep_an_admin(people: Mapping[str, Row[Any]], person: Row[Any]) -> None:
    if _admins(people) == {person.email}:
        raise UserError(
            f"{person.email} is the only administrator who may sign in: make somebody else one first"
        )


def _admins(people: Mapping[str, Row[Any]]) -> set[str]:
    """Who may sign in, and can."""
    return {
        row.email
        for row in people.values()
        if row.role == Role.ADMIN and row.disabled_at is None and row.password_hash
    }
