"""Links by which people choose their passwords, and passwords that they change, without the pages."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from dashboard.auth import passwords, people
from dashboard.auth.choosing import change_own, choose_by_link
from dashboard.auth.links import HOLDS, link_address
from dashboard.auth.users import User, UserError, add_user
from receiver.activity import Kind
from receiver.database import Database
from receiver.models import activities, password_links, sessions, users
from tests.dashboard.desk import EMAIL, PASSWORD
from tests.dashboard.test_auth import engines, signed_in, writing

BO = "bo@example.com"
CHOSEN = "a password that I chose"


def invited(database: Database, given: timedelta = timedelta(0)) -> str:
    """bo has no password, and has had a link for so long."""
    with writing(database) as connection:
        add_user(connection, EMAIL, "admin", PASSWORD)
        return people.add_person(connection, BO, "viewer", EMAIL, datetime.now(UTC) - given)


def chosen(database: Database, token: str, password: str = CHOSEN, old: str | None = None) -> str | None:
    async def run() -> str | None:
        async with engines(database) as (readers, writer):
            return await choose_by_link(readers, writer, token, password, old)

    return asyncio.run(run())


def changed(database: Database, old: str, new: str) -> str | None:
    async def run() -> str | None:
        async with engines(database) as (readers, writer):
            with writing(database) as connection:
                user = connection.execute(select(users).where(users.c.email == EMAIL)).one()
            return await change_own(readers, writer, User(user.id, EMAIL, user.role), old, new)

    return asyncio.run(run())


def found(database: Database, *columns: Any) -> list[Any]:
    with writing(database) as connection:
        return [tuple(row) for row in connection.execute(select(*columns))]


def test_a_link_gives_a_password_and_a_session(any_database: Database) -> None:
    token = invited(any_database)
    session = chosen(any_database, token)
    assert session is not None
    assert [bytes(kept) for (kept,) in found(any_database, sessions.c.token_sha256)] == [
        hashlib.sha256(session.encode()).digest()
    ]
    assert signed_in(any_database, BO, CHOSEN) is not None
    noted = found(any_database, activities.c.kind, activities.c.by)
    assert noted == [(Kind.USER_ADDED, EMAIL), (Kind.PASSWORD_CHOSEN, BO)]


def test_of_a_link_only_the_hash_is_kept(any_database: Database) -> None:
    token = invited(any_database)
    [[kept]] = found(any_database, password_links.c.token_sha256)
    assert bytes(kept) == hashlib.sha256(token.encode()).digest()


def test_a_link_works_once(any_database: Database) -> None:
    token = invited(any_database)
    assert chosen(any_database, token)
    assert chosen(any_database, token, "what a thief would choose") is None
    assert signed_in(any_database, BO, CHOSEN) is not None


def test_of_two_who_use_a_link_at_once_one_does(any_database: Database) -> None:
    token = invited(any_database)

    async def both() -> list[str | None]:
        async with engines(any_database) as (readers, writer):
            ways = [choose_by_link(readers, writer, token, f"{CHOSEN} {n}", None) for n in range(2)]
            return await asyncio.gather(*ways)

    sessions_begun = asyncio.run(both())
    assert sessions_begun.count(None) == 1
    assert len(found(any_database, sessions)) == 1


def test_a_link_holds_for_three_days(database: Database) -> None:
    assert timedelta(days=3) == HOLDS
    assert chosen(database, invited(database, HOLDS - timedelta(minutes=1))) is not None


def test_an_older_link_opens_nothing(database: Database) -> None:
    assert chosen(database, invited(database, HOLDS + timedelta(seconds=1))) is None
    assert found(database, sessions) == []


def give_another(connection: Connection) -> None:
    people.give_link(connection, BO, EMAIL, datetime.now(UTC))


def stop_and_let_in(connection: Connection) -> None:
    people.disable_user(connection, BO, EMAIL, datetime.now(UTC))
    people.enable_user(connection, BO, EMAIL, datetime.now(UTC))


@pytest.mark.parametrize("voided", [give_another, stop_and_let_in])
def test_a_link_is_void_once_there_is_a_newer_one_or_its_owner_was_stopped(
    any_database: Database, voided: Callable[[Connection], None]
) -> None:
    token = invited(any_database)
    with writing(any_database) as connection:
        voided(connection)
    assert chosen(any_database, token) is None


def test_the_password_of_before_works_until_another_is_chosen(database: Database) -> None:
    token = invited(database)
    chosen(database, token)
    with writing(database) as connection:
        newer = people.give_link(connection, BO, EMAIL, datetime.now(UTC))
    assert signed_in(database, BO, CHOSEN) is not None
    assert chosen(database, newer, "something else altogether") is not None
    assert signed_in(database, BO, CHOSEN) is None
    assert len(found(database, sessions)) == 1


def test_who_is_stopped_while_they_choose_gets_in_nowhere(
    any_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, rehashed = invited(any_database), passwords.rehashed

    async def stopped_meanwhile(password: str) -> str:
        with writing(any_database) as connection:
            connection.execute(update(users).where(users.c.email == BO).values(disabled_at=datetime.now(UTC)))
        return await rehashed(password)

    monkeypatch.setattr(passwords, "rehashed", stopped_meanwhile)
    assert chosen(any_database, token) is None
    assert found(any_database, sessions) == []
    assert ("",) in found(any_database, users.c.password_hash)


def test_a_link_that_opens_nothing_costs_no_hash(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_password: str) -> str:
        raise AssertionError("hashed")

    monkeypatch.setattr(passwords, "rehashed", never)
    assert chosen(database, "x" * 43) is None


def test_a_password_that_is_too_short_leaves_the_link_as_it_is(database: Database) -> None:
    token = invited(database)
    with pytest.raises(UserError, match="at least 12"):
        chosen(database, token, "too short")
    assert chosen(database, token) is not None


def test_the_session_of_whoever_was_signed_in_here_ends(database: Database) -> None:
    token = invited(database)
    admins = signed_in(database)
    assert chosen(database, token, old=admins) != admins
    [[owner]] = found(database, sessions.c.user_id)
    assert (owner, BO) in found(database, users.c.id, users.c.email)


def test_changing_ones_own_password_ends_all_sessions_and_begins_one(any_database: Database) -> None:
    """A copy of the cookie may be elsewhere."""
    invited(any_database)
    before = {signed_in(any_database), signed_in(any_database)}
    here = changed(any_database, PASSWORD, CHOSEN)
    assert here is not None
    assert here not in before
    kept = [bytes(each) for (each,) in found(any_database, sessions.c.token_sha256)]
    assert kept == [hashlib.sha256(here.encode()).digest()]
    assert signed_in(any_database, password=PASSWORD) is None
    assert signed_in(any_database, password=CHOSEN) is not None
    assert (Kind.PASSWORD_CHANGED, EMAIL) in found(any_database, activities.c.kind, activities.c.by)


def test_nothing_changes_without_the_password_of_today(any_database: Database) -> None:
    invited(any_database)
    before = found(any_database, users.c.password_hash)
    assert not changed(any_database, "not my password", CHOSEN)
    assert found(any_database, users.c.password_hash) == before


def test_changing_ones_own_password_voids_a_link_that_was_left(any_database: Database) -> None:
    invited(any_database)
    with writing(any_database) as connection:
        add_user(connection, "cleo@example.com", "admin", PASSWORD)
        left = people.give_link(connection, EMAIL, "cleo@example.com", datetime.now(UTC))
    assert changed(any_database, PASSWORD, CHOSEN)
    assert chosen(any_database, left, "what a thief would choose") is None


@pytest.mark.parametrize("url", ["https://kyb.example.com", "https://kyb.example.com/"])
def test_a_link_leads_to_the_configured_address(url: str) -> None:
    assert link_address(url, "abc") == "https://kyb.example.com/password/abc"
