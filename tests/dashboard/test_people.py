"""What administrators do about who may sign in, without the pages."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, make_url, select, update

from dashboard.auth import people
from dashboard.auth.users import Role, UserError, add_user
from receiver.activity import Kind
from receiver.database import Database
from receiver.models import activities, password_links, sessions, users
from tests.dashboard.desk import EMAIL, PASSWORD
from tests.dashboard.test_auth import signed_in, writing
from tests.factories import NOON

BO = "bo@example.com"
COMMAND = "kybdesk user (root)"


def add_two_admins(connection: Connection) -> None:
    for email in (EMAIL, BO):
        add_user(connection, email, Role.ADMIN, PASSWORD)


def found(database: Database, *columns: Any) -> list[Any]:
    with writing(database) as connection:
        return [tuple(row) for row in connection.execute(select(*columns))]


def roles(database: Database) -> dict[str, str]:
    return dict(found(database, users.c.email, users.c.role))


def noted(database: Database) -> list[Any]:
    columns = (activities.c.kind, activities.c.by, activities.c.subject, activities.c.detail)
    return found(database, *columns)


def test_a_person_is_added_without_a_password_and_with_a_link(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_two_admins(connection)
        token = people.add_person(connection, " New@Example.com", Role.LEAD, EMAIL, NOON)
    assert found(any_database, users.c.email, users.c.role, users.c.password_hash)[2:] == [
        ("new@example.com", "lead", "")
    ]
    assert len(token) >= 43
    assert noted(any_database) == [(Kind.USER_ADDED, EMAIL, "new@example.com", "lead")]


@pytest.mark.parametrize(
    ("verb", "given", "kind"),
    [
        (people.change_role, ["viewer"], Kind.ROLE_CHANGED),
        (people.disable_user, [], Kind.USER_DISABLED),
    ],
    ids=["role", "disable"],
)
def test_a_change_to_somebody_ends_their_sessions_and_no_others(
    any_database: Database, verb: Callable[..., None], given: list[str], kind: Kind
) -> None:
    with writing(any_database) as connection:
        add_two_admins(connection)
    signed_in(any_database)
    signed_in(any_database, email=BO)
    with writing(any_database) as connection:
        verb(connection, BO, *given, EMAIL, NOON)
    ana = "SELECT id FROM users WHERE email = 'ana@example.com'"
    with writing(any_database) as connection:
        assert connection.scalars(select(sessions.c.user_id)).all() == [
            connection.exec_driver_sql(ana).scalar_one()
        ]
    assert noted(any_database) == [(kind, EMAIL, BO, given[0] if given else None)]


def test_what_is_so_already_is_neither_done_nor_noted_again(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_two_admins(connection)
    signed_in(any_database, email=BO)
    with writing(any_database) as connection:
        people.change_role(connection, BO, "admin", EMAIL, NOON)
        people.enable_user(connection, BO, EMAIL, NOON)
        assert len(connection.execute(select(sessions)).all()) == 1
        for _ in range(2):
            people.disable_user(connection, BO, EMAIL, NOON)
        for _ in range(2):
            people.enable_user(connection, BO, EMAIL, NOON)
    assert [kind for kind, *_ in noted(any_database)] == [Kind.USER_DISABLED, Kind.USER_ENABLED]


def test_who_is_let_in_again_signs_in_as_before(database: Database) -> None:
    with writing(database) as connection:
        add_two_admins(connection)
        people.disable_user(connection, BO, EMAIL, NOON)
    assert signed_in(database, email=BO) is None
    with writing(database) as connection:
        people.enable_user(connection, BO, EMAIL, NOON)
    assert signed_in(database, email=BO) is not None


@pytest.mark.parametrize(
    ("verb", "given", "why"),
    [
        (people.change_role, ["lead"], "can't change your own role"),
        (people.disable_user, [], "can't stop yourself"),
        (people.give_link, [], "You change your own password"),
    ],
    ids=["role", "disable", "link"],
)
def test_nobody_does_it_to_themselves(
    database: Database, verb: Callable[..., Any], given: list[str], why: str
) -> None:
    with writing(database) as connection:
        add_two_admins(connection)
    with pytest.raises(UserError, match=why), writing(database) as connection:
        verb(connection, EMAIL.upper(), *given, EMAIL, NOON)
    assert noted(database) == []


@pytest.mark.parametrize("verb", [people.change_role, people.disable_user], ids=["role", "disable"])
@pytest.mark.parametrize("other", ["nobody", "a lead", "disabled", "without a password"])
def test_the_last_administrator_who_may_sign_in_stays(
    any_database: Database, verb: Callable[..., None], other: str
) -> None:
    with writing(any_database) as connection:
        add_user(connection, EMAIL, "admin", PASSWORD)
        if other != "nobody":
            add_user(
                connection,
                BO,
                "lead" if other == "a lead" else "admin",
                None if other == "without a password" else PASSWORD,
            )
        if other == "disabled":
            connection.execute(update(users).where(users.c.email == BO).values(disabled_at=NOON))
    role = ["viewer"] if verb is people.change_role else []
    with pytest.raises(UserError, match="only administrator"), writing(any_database) as connection:
        verb(connection, EMAIL, *role, COMMAND, NOON)
    assert noted(any_database) == []


def test_an_administrator_of_before_can_do_nothing_more(database: Database) -> None:
    with writing(database) as connection:
        add_two_admins(connection)
        add_user(connection, "cleo@example.com", "viewer", PASSWORD)
        people.change_role(connection, BO, "viewer", EMAIL, NOON)
    for act in (
        lambda connection: people.add_person(connection, "x@example.com", "admin", BO, NOON),
        lambda connection: people.change_role(connection, EMAIL, "viewer", BO, NOON),
        lambda connection: people.disable_user(connection, "cleo@example.com", BO, NOON),
        lambda connection: people.give_link(connection, "cleo@example.com", BO, NOON),
    ):
        with pytest.raises(UserError, match="no longer an administrator"), writing(database) as connection:
            act(connection)


def test_of_two_administrators_who_stop_each_other_at_once_one_stays(
    any_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both come to the check together, if anything lets them."""
    with writing(any_database) as connection:
        add_two_admins(connection)
    together, check = threading.Barrier(2, timeout=0.5), people._keep_an_admin

    def check_together(*given: Any) -> None:
        with suppress(threading.BrokenBarrierError):
            together.wait()
        check(*given)

    monkeypatch.setattr(people, "_keep_an_admin", check_together)
    refused: list[str] = []

    def stop(email: str, by: str) -> None:
        try:
            with writing(any_database) as connection:
                people.disable_user(connection, email, by, NOON)
        except UserError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=stop, args=each) for each in ((EMAIL, BO), (BO, EMAIL))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(refused) == 1
    assert [at for (at,) in found(any_database, users.c.disabled_at)].count(None) == 1


@pytest.mark.parametrize(("verb", "given"), [(people.disable_user, []), (people.change_role, ["viewer"])])
def test_who_is_no_administrator_any_more_has_no_links_left(
    any_database: Database, verb: Callable[..., None], given: list[str]
) -> None:
    """They may have kept one."""
    with writing(any_database) as connection:
        add_two_admins(connection)
        people.add_person(connection, "cleo@example.com", Role.ADMIN, BO, NOON)
        people.add_person(connection, "dora@example.com", Role.VIEWER, EMAIL, NOON)
        verb(connection, BO, *given, EMAIL, NOON)
    assert found(any_database, password_links.c.made_by) == [(EMAIL,)]


def test_changing_a_user_who_is_not_there_is_an_error(database: Database) -> None:
    for email in ("eve@example.com", "no address"):
        with pytest.raises(UserError, match="There is no user"), writing(database) as connection:
            people.disable_user(connection, email, COMMAND, NOON)


def test_disabling_somebody_voids_their_link(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_two_admins(connection)
        people.give_link(connection, BO, EMAIL, NOON)
        people.disable_user(connection, BO, EMAIL, NOON)
        assert connection.execute(select(password_links)).all() == []
    with pytest.raises(UserError, match="let them in again first"), writing(any_database) as connection:
        people.give_link(connection, BO, EMAIL, NOON)


NAMES = [f"{name}@example.com" for name in "abc"]
ACTS = st.tuples(
    st.sampled_from(["role", "disable", "enable"]),
    st.sampled_from(NAMES),
    st.sampled_from([*NAMES, COMMAND]),
    st.sampled_from([str(role) for role in Role]),
)


@given(st.lists(ACTS, max_size=12))
def test_whatever_is_done_somebody_can_undo_it(migrated: Database, acts: list[Any]) -> None:
    """Somebody who may sign in is an administrator, at every moment."""
    engine = migrated.writer()
    with engine.connect() as connection, connection.begin() as transaction:
        for name in NAMES:
            add_user(connection, name, Role.ADMIN if name == NAMES[0] else Role.VIEWER, PASSWORD)
        for act, email, by, role in acts:
            before = _admins(connection)
            with suppress(UserError):
                _do(connection, act, email, by, role)
                assert by == COMMAND or by in before
            assert _admins(connection)
        transaction.rollback()
    engine.dispose()


def _do(connection: Connection, act: str, email: str, by: str, role: str) -> None:
    if act == "role":
        people.change_role(connection, email, role, by, NOON)
    elif act == "disable":
        people.disable_user(connection, email, by, NOON)
    else:
        people.enable_user(connection, email, by, NOON)


def _admins(connection: Connection) -> set[str]:
    active = users.c.disabled_at.is_(None), users.c.role == Role.ADMIN
    return set(connection.scalars(select(users.c.email).where(*active)))


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory, migrated_file: Any) -> Database:
    path = tmp_path_factory.mktemp("people") / "kybdesk.db"
    path.write_bytes(migrated_file.read_bytes())
    return Database(make_url(f"sqlite+aiosqlite:///{path}"))
