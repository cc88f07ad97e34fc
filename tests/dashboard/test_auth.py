"""Users, passwords, sessions and the throttle, without the pages."""

import asyncio
import hashlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from dashboard.auth import passwords
from dashboard.auth.signing_in import nobody_can_sign_in, sign_in
from dashboard.auth.throttle import SignInThrottle, Throttle
from dashboard.auth.users import Role, User, UserError, add_user
from receiver.database import Database
from receiver.models import sessions, users
from tests.dashboard.desk import EMAIL, PASSWORD

PRODUCT_HASHER = passwords._hasher  # before a fixture puts a quick one in its place
Change = Callable[[Connection], Any]


@contextmanager
def writing(database: Database) -> Iterator[Connection]:
    engine = database.writer()
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def changed(database: Database, change: Change) -> None:
    with writing(database) as connection:
        change(connection)


def rows(database: Database, *columns: Any) -> list[Any]:
    with writing(database) as connection:
        return list(connection.execute(select(*columns)))


def add_ana(connection: Connection) -> None:
    add_user(connection, EMAIL, "operator", PASSWORD)


def disabled(connection: Connection) -> None:
    connection.execute(update(users).values(disabled_at=datetime.now(UTC)))


def made_at(connection: Connection, moment: datetime) -> None:
    connection.execute(update(sessions).values(created_at=moment))


def signed_in(
    database: Database, email: str = EMAIL, password: str = PASSWORD, old: str | None = None
) -> str | None:
    async def run() -> str | None:
        async with engines(database) as (readers, writer):
            return await sign_in(readers, writer, email, password, old)

    return asyncio.run(run())


@asynccontextmanager
async def engines(database: Database) -> AsyncIterator[tuple[AsyncEngine, AsyncEngine]]:
    readers, writer = database.page_readers(), database.page_writer()
    try:
        yield readers, writer
    finally:
        await readers.dispose()
        await writer.dispose()


def test_a_user_is_kept_with_a_hash_in_place_of_the_password(any_database: Database) -> None:
    changed(any_database, lambda connection: add_user(connection, " Ana@Example.com ", "lead", PASSWORD))
    [user] = rows(any_database, users)
    assert (user.email, user.role, user.disabled_at) == ("ana@example.com", "lead", None)
    assert user.password_hash.startswith("$argon2id$")


def test_an_email_address_belongs_to_one_user(any_database: Database) -> None:
    changed(any_database, add_ana)
    with pytest.raises(UserError, match=r"There is already a user ana@example\.com"):
        changed(any_database, lambda connection: add_user(connection, "ANA@example.com", "viewer", PASSWORD))


@pytest.mark.parametrize(
    "email", ["", "ana", "@example.com", "ana@", "a b@example.com", "a@b@c", "a\0@b.c", "a@" + 300 * "b"]
)
def test_what_is_no_email_address_is_refused(database: Database, email: str) -> None:
    with pytest.raises(UserError, match="is no e-mail address"):
        changed(database, lambda connection: add_user(connection, email, "viewer", PASSWORD))


def test_an_unknown_role_is_refused_with_those_there_are(database: Database) -> None:
    with pytest.raises(UserError, match="choose one of viewer, operator, lead, admin"):
        changed(database, lambda connection: add_user(connection, EMAIL, "boss", PASSWORD))


@pytest.mark.parametrize(("password", "why"), [("eleven char", "at least 12"), ("x" * 1025, "at most 1024")])
def test_a_password_has_12_to_1024_characters(database: Database, password: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        changed(database, lambda connection: add_user(connection, EMAIL, "viewer", password))


def test_everyone_but_a_viewer_may_reprocess() -> None:
    assert {role for role in Role if User(1, EMAIL, role).may_reprocess} == {"operator", "lead", "admin"}


def test_signing_in_gives_a_token_of_which_only_the_hash_is_kept(any_database: Database) -> None:
    changed(any_database, add_ana)
    token = signed_in(any_database)
    assert token is not None
    assert len(token) >= 43
    assert rows(any_database, sessions.c.token_sha256) == [(hashlib.sha256(token.encode()).digest(),)]


def test_nobody_signs_in_with_another_password_or_an_unknown_address(any_database: Database) -> None:
    changed(any_database, add_ana)
    assert signed_in(any_database, password="another password") is None
    assert signed_in(any_database, email="eve@example.com") is None
    assert signed_in(any_database, email="no\0address@example.com") is None
    assert rows(any_database, sessions) == []


def test_a_disabled_user_does_not_sign_in(any_database: Database) -> None:
    changed(any_database, add_ana)
    changed(any_database, disabled)
    assert signed_in(any_database) is None


def test_the_old_session_ends_at_sign_in(any_database: Database) -> None:
    changed(any_database, add_ana)
    old = signed_in(any_database)
    new = signed_in(any_database, old=old)
    assert new not in {None, old}
    assert len(rows(any_database, sessions)) == 1


def test_sessions_that_are_over_are_swept_at_sign_in(any_database: Database) -> None:
    changed(any_database, add_ana)
    signed_in(any_database)
    long_ago = datetime.now(UTC) - timedelta(days=8)
    changed(any_database, lambda connection: made_at(connection, long_ago))
    signed_in(any_database)
    assert len(rows(any_database, sessions)) == 1


def test_nobody_signs_in_without_a_password(any_database: Database) -> None:
    changed(any_database, lambda connection: add_user(connection, EMAIL, "admin"))
    for password in ("", "None", PASSWORD):
        assert signed_in(any_database, password=password) is None


def test_when_somebody_was_here_last_is_known_when_no_session_is_left(any_database: Database) -> None:
    changed(any_database, add_ana)
    assert rows(any_database, users.c.seen_at) == [(None,)]
    signed_in(any_database)
    changed(any_database, lambda connection: connection.execute(delete(sessions)))
    [[seen_at]] = rows(any_database, users.c.seen_at)
    assert datetime.now(UTC) - seen_at < timedelta(seconds=30)


def test_a_user_disabled_while_the_password_was_checked_gets_no_session(
    any_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(any_database, add_ana)

    async def disabled_meanwhile(_password: str, _hash: str | None) -> bool:
        changed(any_database, disabled)
        return True

    monkeypatch.setattr(passwords, "matches", disabled_meanwhile)
    assert signed_in(any_database) is None
    assert rows(any_database, sessions) == []


def test_one_can_tell_that_nobody_can_sign_in_yet(any_database: Database) -> None:
    async def nobody() -> bool:
        async with engines(any_database) as (readers, _):
            return await nobody_can_sign_in(readers)

    assert asyncio.run(nobody())
    changed(any_database, add_ana)
    assert not asyncio.run(nobody())


def test_a_hash_of_other_parameters_is_renewed_at_sign_in(
    any_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(any_database, add_ana)
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    assert signed_in(any_database) is not None
    [[renewed]] = rows(any_database, users.c.password_hash)
    assert "t=2" in renewed
    assert signed_in(any_database) is not None
    assert rows(any_database, users.c.password_hash) == [(renewed,)]


def test_an_unknown_address_costs_as_much_as_a_wrong_password(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    monkeypatch.setattr(passwords, "_verify", lambda password_hash, _: verified.append(password_hash))
    signed_in(database, email="eve@example.com")
    [nobody] = verified
    assert not PRODUCT_HASHER.check_needs_rehash(nobody)


def test_the_product_hashes_as_the_rfc_says() -> None:
    assert PRODUCT_HASHER.hash("x").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_password_matches_however_its_accents_were_typed() -> None:
    assert asyncio.run(passwords.matches("cafe\u0301 au lait très", passwords.hashed("café au lait très")))
    assert not asyncio.run(passwords.matches("\ud800", passwords.hashed(PASSWORD)))


def test_at_most_two_passwords_are_hashed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lock, at_once, most = threading.Lock(), 0, 0

    def slow(_hash: str, _password: str) -> bool:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.02)
        with lock:
            at_once -= 1
        return True

    monkeypatch.setattr(passwords, "_verify", slow)

    async def many() -> None:
        checks: list[Coroutine[Any, Any, bool]] = [passwords.matches("x", "y") for _ in range(6)]
        await asyncio.gather(*checks)

    asyncio.run(many())
    assert most == 2


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_after_ten_failures_an_address_waits_until_the_first_is_a_quarter_of_an_hour_old() -> None:
    clock = Clock()
    throttle = SignInThrottle(clock)
    for n in range(10):
        assert throttle.wait(EMAIL, f"192.0.2.{n}") == 0
        throttle.count(EMAIL, f"192.0.2.{n}")
        clock.now += 1
    assert throttle.wait(EMAIL, "192.0.2.99") == 15 * 60 - 10
    assert throttle.wait("bo@example.com", "192.0.2.99") == 0
    clock.now += 15 * 60 - 10
    assert throttle.wait(EMAIL, "192.0.2.99") == 0


def test_one_client_may_not_try_thirty_addresses() -> None:
    throttle = SignInThrottle(Clock())
    for n in range(30):
        throttle.count(f"{n}@example.com", "192.0.2.1")
    assert throttle.wait("31@example.com", "192.0.2.1") > 0
    assert throttle.wait("31@example.com", "192.0.2.2") == 0


def test_one_client_has_a_whole_network_of_ipv6() -> None:
    throttle = SignInThrottle(Clock())
    for n in range(30):
        throttle.count(f"{n}@example.com", f"2001:db8::{n + 1:x}")
    assert throttle.wait("31@example.com", "2001:db8::ffff") > 0
    assert throttle.wait("31@example.com", "2001:db8:0:1::1") == 0


def test_a_success_takes_only_itself_back() -> None:
    throttle = Throttle(2, Clock())
    throttle.count(EMAIL)
    throttle.count(EMAIL)
    throttle.forgive(EMAIL)
    assert throttle.wait(EMAIL) == 0
    throttle.count(EMAIL)
    assert throttle.wait(EMAIL) > 0


def test_strangers_do_not_fill_the_memory() -> None:
    throttle = Throttle(10, Clock())
    for n in range(10_500):
        throttle.count(str(n))
    assert len(throttle._tries) == 10_000
