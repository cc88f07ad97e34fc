"""`/users` over the socket: who sees what, who may do what, and a link that is shown once."""

import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select, update

from dashboard.queries import users as people_found
from receiver.database import Database
from receiver.models import cases, password_links, users
from tests.dashboard.conftest import OpenDesk
from tests.dashboard.desk import EMAIL, PARTIAL, PASSWORD, SAME_ORIGIN, Desk
from tests.dashboard.reading import read
from tests.factories import add_case, writing

BO = "bo@example.com"
ACTS = [
    ("/users", {"email": "new@example.com", "role": "lead"}),
    ("/users/2/role", {"role": "admin"}),
    ("/users/2/disable", {}),
    ("/users/2/enable", {}),
    ("/users/2/link", {}),
]


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """ana, who looks, is the first; bo, an operator, the second; cleo, an administrator, the third."""
    desk.add_user("admin")
    desk.add_user("operator", BO)
    desk.add_user("admin", "cleo@example.com")
    return desk


def post(desk: Desk, path: str, **fields: str) -> httpx.Response:
    return desk.client.post(path, data=fields, headers=SAME_ORIGIN)


def set_user(desk: Desk, email: str, **values: Any) -> None:
    with writing(desk.database) as connection:
        connection.execute(update(users).where(users.c.email == email).values(values))


def all_users(desk: Desk) -> list[Any]:
    with writing(desk.database) as connection:
        columns = users.c.email, users.c.role, users.c.disabled_at
        return [tuple(row) for row in connection.execute(select(*columns).order_by(users.c.id))]


def links(desk: Desk) -> list[Any]:
    with writing(desk.database) as connection:
        return list(connection.execute(select(password_links)))


def row_of(page: str, email: str) -> str:
    [row] = [row for row in page.split("<tr ")[1:] if email in row]
    return re.sub(r"<[^>]*>", " ", row)


@pytest.mark.parametrize("role", ["viewer", "operator", "lead", "admin"])
def test_everybody_sees_who_there_is(desk: Desk, role: str) -> None:
    set_user(desk, EMAIL, role=role)
    desk.sign_in()
    page = desk.client.get("/users")
    assert page.status_code == 200
    assert "Operator" in row_of(page.text, BO)
    assert "Also re-processes, closes, pauses" in page.text
    assert ('action="/users' in page.text, 'href="/users/' in page.text) == (role == "admin",) * 2
    assert ("An administrator can change it." in page.text) == (role != "admin")


@pytest.mark.parametrize("role", ["viewer", "operator", "lead"])
def test_only_an_administrator_changes_anything(desk: Desk, role: str) -> None:
    set_user(desk, EMAIL, role=role)
    desk.sign_in()
    before = all_users(desk)
    assert desk.client.get("/users/2").status_code == 403
    for path, fields in ACTS:
        answer = post(desk, path, **fields)
        assert answer.status_code == 403, path
        assert "not change who may sign in" in answer.text
    assert all_users(desk) == before
    assert links(desk) == []


def test_nobody_does_anything_from_another_site_or_without_a_session(desk: Desk) -> None:
    before = all_users(desk)
    for path, fields in ACTS:
        answer = post(desk, path, **fields)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in"), path
    desk.sign_in()
    for path, fields in ACTS:
        answer = desk.client.post(path, data=fields, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403, path
    assert all_users(desk) == before
    assert links(desk) == []


def test_states_are_said_in_words(desk: Desk) -> None:
    now = datetime.now(UTC)
    with writing(desk.database) as connection:
        new = {"email": "new@example.com", "role": "viewer", "password_hash": "", "created_at": now}
        connection.execute(insert(users).values(new))
    set_user(desk, BO, disabled_at=now)
    desk.sign_in()
    page = desk.client.get("/users").text
    assert "Active" in row_of(page, "cleo@example.com")
    assert "not yet" in row_of(page, "cleo@example.com")
    assert "Has no password yet" in row_of(page, "new@example.com")
    assert "May not sign in" in row_of(page, BO)
    assert "just now" in row_of(page, f"{EMAIL}</bdi></a> ")


def test_cases_of_who_may_not_sign_in_are_counted_and_can_be_found(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people_found, "COUNTED", 3)
    with writing(desk.database) as connection:
        for n in range(2):
            add_case(connection, f"C-{n}")
        connection.execute(update(cases).values(assigned_to=BO))
    set_user(desk, BO, disabled_at=datetime.now(UTC))
    desk.sign_in()
    assert '/cases?assigned=bo%40example.com">2<' in desk.client.get("/users").text
    person = desk.client.get("/users/2").text
    assert "2 cases are assigned to them" in person
    assert "C-0" in desk.client.get("/cases?assigned=bo%40example.com").text
    with writing(desk.database) as connection:
        for n in range(2, 5):
            add_case(connection, f"C-{n}")
        connection.execute(update(cases).values(assigned_to=BO))
    found = {person.email: person.assigned for person in read(desk.database, people_found.find_people)}
    assert found == {BO: 3, EMAIL: 0, "cleo@example.com": 0}


def test_people_are_counted_on_every_database(any_database: Database, open_desk: OpenDesk) -> None:
    desk = open_desk(any_database).signed_in("admin")
    desk.add_user("viewer", BO)
    with writing(any_database) as connection:
        add_case(connection, "C-1")
        connection.execute(update(cases).values(assigned_to=BO))
    assert "1 cases assigned" in re.sub(" +", " ", row_of(desk.client.get("/users").text, "bo@"))
    link = re.search(r"/password/[\w-]+", post(desk, "/users/2/link").text)
    assert link is not None
    assert desk.client.get(link[0]).status_code == 200
    assert post(desk, "/users/2/disable").headers["location"] == "/users/2"
    assert desk.client.get(link[0]).status_code == 404


def test_adding_a_person_shows_a_link_once(desk: Desk) -> None:
    desk.sign_in()
    answer = post(desk, "/users", email=" New@Example.com ", role="lead")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    [link] = re.findall(r'<code id="link">http://127\.0\.0\.1:8000(/password/[\w-]{43})</code>', answer.text)
    assert all_users(desk)[-1] == ("new@example.com", "lead", None)
    for path in ("/users", "/users/4", "/activity", "/activity.csv"):
        assert link.rpartition("/")[2] not in desk.client.get(path).text
    assert desk.client.get(link).status_code == 200


def test_a_new_link_is_shown_once_and_the_old_one_is_void(desk: Desk) -> None:
    desk.sign_in()
    first, second = (
        re.findall(r"/password/[\w-]{43}(?=<)", post(desk, "/users/2/link").text)[0] for _ in range(2)
    )
    assert first != second
    assert [desk.client.get(each).status_code for each in (first, second)] == [404, 200]
    page = desk.client.get("/users/2").text
    assert "One was given by <bdi>ana@example.com</bdi>" in page
    assert second not in page


def test_switching_the_zone_of_times_beside_a_link_leads_to_a_page_that_there_is(desk: Desk) -> None:
    desk.sign_in()
    page = post(desk, "/users/2/link").text
    assert 'name="next" value="/users/2"' in page


def test_pressed_twice_a_person_is_added_once_and_the_page_says_so(desk: Desk) -> None:
    desk.sign_in()
    post(desk, "/users", email="new@example.com", role="lead")
    again = post(desk, "/users", email="new@example.com", role="lead")
    assert again.status_code == 422
    assert "There is already a user new@example.com" in again.text
    assert len(all_users(desk)) == 4


@pytest.mark.parametrize(
    ("email", "role", "why"),
    [
        ("nobody", "lead", "is no e-mail address"),
        ("", "lead", "is no e-mail address"),
        ("a@b" + 300 * "c", "lead", "is no e-mail address"),
        ("a\u202eb@c.d", "lead", "is no e-mail address"),
        ("new@example.com", "king", "There is no role"),
        ("new@example.com", "", "There is no role"),
    ],
    ids=["no host", "nothing", "long", "turning", "role", "no role"],
)
def test_who_cannot_be_added_is_refused_in_words(desk: Desk, email: str, role: str, why: str) -> None:
    desk.sign_in()
    answer = post(desk, "/users", email=email, role=role)
    assert answer.status_code == 422
    assert why in answer.text
    assert "\u202e" not in re.sub(r'value="[^"]*"', "", answer.text)
    assert len(all_users(desk)) == 3


def test_a_hostile_address_is_shown_as_text(desk: Desk) -> None:
    """What the table takes is what a person could be called."""
    hostile = '"><script>alert(1)</script>{{7*7}}\u0301@x'
    desk.sign_in()
    assert post(desk, "/users", email=hostile, role="viewer").status_code == 200
    for path in ("/users", "/users/4", "/activity"):
        page = desk.client.get(path).text
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert(1)" not in page
    assert post(desk, "/users/4/disable").status_code == 303


def test_a_role_is_changed_and_the_sessions_end(desk: Desk) -> None:
    desk.sign_in(BO)
    bo = dict(desk.client.cookies)
    desk.sign_in()
    answer = post(desk, "/users/2/role", role="viewer")
    assert (answer.status_code, answer.headers["location"]) == (303, "/users/2")
    assert all_users(desk)[1][1] == "viewer"
    out = httpx.get(desk.client.base_url.join("/users"), cookies=bo, trust_env=False)
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in?next=%2Fusers")
    assert "gave <bdi>bo@example.com</bdi> the role viewer" in desk.client.get("/activity").text


def test_somebody_is_stopped_and_let_in_again(desk: Desk) -> None:
    desk.sign_in()
    assert "Let them sign in again" not in desk.client.get("/users/2").text
    assert post(desk, "/users/2/disable").status_code == 303
    assert desk.sign_in(BO).status_code == 401
    desk.sign_in()
    page = desk.client.get("/users/2").text
    assert "Let them sign in again" in page
    assert 'action="/users/2/link"' not in page
    assert post(desk, "/users/2/link").status_code == 409
    assert post(desk, "/users/2/enable").status_code == 303
    assert desk.sign_in(BO).status_code == 303
    desk.sign_in()
    activity = desk.client.get("/activity").text
    assert "stopped <bdi>bo@example.com</bdi> from signing in" in activity
    assert "let <bdi>bo@example.com</bdi> sign in again" in activity


@pytest.mark.parametrize(
    ("act", "fields", "why"),
    [
        ("role", {"role": "lead"}, "change your own role"),
        ("disable", {}, "stop yourself"),
        ("link", {}, "your own password"),
    ],
)
def test_ones_own_page_has_no_buttons_and_the_server_says_why(
    desk: Desk, act: str, fields: dict[str, str], why: str
) -> None:
    desk.sign_in()
    page = desk.client.get("/users/1").text
    assert 'action="/users/1' not in page
    assert 'href="/password"' in page
    answer = post(desk, f"/users/1/{act}", **fields)
    assert answer.status_code == 409
    assert why in answer.text
    assert all_users(desk)[0] == (EMAIL, "admin", None)


def test_a_role_that_there_is_not_changes_nothing(desk: Desk) -> None:
    desk.sign_in()
    for role in ("king", "", "ADMIN"):
        assert post(desk, "/users/2/role", role=role).status_code == 409
    assert all_users(desk)[1][1] == "operator"


def test_who_is_not_there_has_no_page(desk: Desk) -> None:
    desk.sign_in()
    for path in ("/users/99", "/users/0", "/users/01", f"/users/{2**63}", "/users/x", "/users/"):
        assert desk.get_raw(path).status_code == 404, path
    for path, fields in ACTS[1:]:
        assert post(desk, path.replace("2", "99"), **fields).status_code == 404


def test_the_list_is_a_part_that_looks_again(desk: Desk) -> None:
    desk.sign_in()
    part = desk.client.get("/users", headers=PARTIAL).text
    assert part.startswith('<section id="users"')
    assert "<form" not in part


def test_no_page_shows_a_hash(desk: Desk) -> None:
    desk.sign_in()
    post(desk, "/users/2/link")
    for path in ("/users", "/users/1", "/users/2", "/activity", "/password"):
        page = desk.client.get(path).text
        assert "argon2" not in page
        assert PASSWORD not in page
