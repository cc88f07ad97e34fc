"""Signing in and out, sessions, permissions and where requests come from, as browsers meet them."""

import socket
from datetime import UTC, datetime, timedelta
from http.cookies import Morsel, SimpleCookie
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from litestar import get, post
from sqlalchemy import Select, Update, select, update
from sqlalchemy.exc import OperationalError

from dashboard.auth.guards import may_reprocess
from receiver.database import Database
from receiver.models import sessions, users
from tests.dashboard.conftest import OpenDesk
from tests.dashboard.desk import EMAIL, PARTIAL, PASSWORD, SAME_ORIGIN, Desk

LOCALHOST = [ip_network("127.0.0.0/8")]
BEHIND_HTTPS = {"X-Forwarded-Proto": "https", "Host": "kyb.example.com"}


class Locked:
    """Stands for an engine whose database is locked."""

    def begin(self) -> None:
        raise OperationalError("BEGIN IMMEDIATE", {}, Exception("database is locked"))


@get("/desk")
async def desk_page() -> str:
    return "the desk"


@post("/act", guards=[may_reprocess], status_code=200)
async def act() -> str:
    return "done"


@pytest.fixture
def desk(desk: Desk) -> Desk:
    desk.app.register(desk_page)
    desk.app.register(act)
    return desk


def cookie_of(answer: httpx.Response) -> Morsel[str]:
    [header] = answer.headers.get_list("set-cookie")
    [morsel] = SimpleCookie(header).values()
    return morsel


def execute(desk: Desk, statement: Update) -> None:
    engine = desk.database.writer()
    with engine.begin() as connection:
        connection.execute(statement)
    engine.dispose()


def found(desk: Desk, statement: Select[Any]) -> list[Any]:
    engine = desk.database.writer()
    with engine.connect() as connection:
        rows = list(connection.scalars(statement))
    engine.dispose()
    return rows


def test_signing_in_leads_to_the_desk(desk: Desk) -> None:
    desk.add_user()
    answer = desk.sign_in()
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert desk.client.get("/desk").text == "the desk"


def test_signing_in_works_on_every_database(any_database: Database, open_desk: OpenDesk) -> None:
    desk = open_desk(any_database).signed_in()
    assert desk.client.get("/changed?since=0").status_code == 204
    assert desk.client.post("/sign-out", headers=SAME_ORIGIN).status_code == 303
    assert desk.client.get("/changed?since=0").status_code == 303


def test_on_the_machine_itself_the_cookie_has_a_plain_name(desk: Desk) -> None:
    desk.add_user()
    cookie = cookie_of(desk.sign_in())
    assert (cookie.key, cookie["secure"]) == ("kybdesk", "")
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "lax", "/")


def test_on_https_the_cookie_belongs_to_this_host_alone(database: Database, open_desk: OpenDesk) -> None:
    desk = open_desk(database, dashboard_url="https://kyb.example.com", trusted_proxies=tuple(LOCALHOST))
    desk.add_user()
    desk.client.headers.update(BEHIND_HTTPS)
    cookie = cookie_of(desk.sign_in())
    assert (cookie.key, cookie["secure"], cookie["path"]) == ("__Host-kybdesk", True, "/")
    assert (cookie["httponly"], cookie["samesite"], cookie["domain"]) == (True, "lax", "")
    assert (
        desk.client.get("/changed", headers={"Cookie": f"__Host-kybdesk={cookie.value}"}).status_code == 204
    )
    assert desk.client.get("/changed", headers={"Cookie": f"kybdesk={cookie.value}"}).status_code == 303


def test_signing_out_ends_the_secure_cookie_as_a_browser_accepts_it(
    database: Database, open_desk: OpenDesk
) -> None:
    desk = open_desk(database, dashboard_url="https://kyb.example.com", trusted_proxies=tuple(LOCALHOST))
    desk.add_user()
    desk.client.headers.update(BEHIND_HTTPS)
    kept = {"Cookie": f"__Host-kybdesk={cookie_of(desk.sign_in()).value}"}
    ended = cookie_of(desk.client.post("/sign-out", headers={**SAME_ORIGIN, **kept}))
    assert (ended.key, ended.value, ended["max-age"], ended["secure"]) == ("__Host-kybdesk", "", "0", True)


def test_nobodys_word_but_a_trusted_proxys_makes_it_https(database: Database, open_desk: OpenDesk) -> None:
    desk = open_desk(database)
    desk.add_user()
    desk.client.headers["X-Forwarded-Proto"] = "https"
    assert cookie_of(desk.sign_in()).key == "kybdesk"


def test_no_password_is_taken_over_plain_http_from_elsewhere(database: Database, open_desk: OpenDesk) -> None:
    desk = open_desk(database, dashboard_url="http://kyb.example.com")
    desk.add_user()
    desk.client.headers["Host"] = "kyb.example.com"
    answer = desk.sign_in()
    assert answer.status_code == 403
    assert "over https only" in answer.text
    assert "set-cookie" not in answer.headers
    assert "over https only" in desk.client.get("/sign-in").text


@pytest.mark.parametrize(("email", "password"), [(EMAIL, "wrong password"), ("eve@example.com", PASSWORD)])
def test_a_wrong_password_and_an_unknown_address_read_the_same(desk: Desk, email: str, password: str) -> None:
    desk.add_user()
    answer = desk.sign_in(email, password)
    assert answer.status_code == 401
    assert "do not belong together" in answer.text
    assert password not in answer.text
    assert "set-cookie" not in answer.headers


def test_what_was_typed_comes_back_as_text(desk: Desk) -> None:
    answer = desk.sign_in('"><script>alert(1)</script>@x')
    assert "<script>alert" not in answer.text


def test_a_form_of_another_shape_signs_nobody_in(desk: Desk) -> None:
    desk.add_user()
    forms: list[dict[str, Any]] = [{}, {"email": [EMAIL, EMAIL]}, {"email": "\0@x", "password": "\0"}]
    for form in forms:
        assert desk.client.post("/sign-in", data=form, headers=SAME_ORIGIN).status_code == 401


def test_where_nobody_can_sign_in_the_page_says_what_to_do(desk: Desk) -> None:
    assert "kybdesk user add" in desk.client.get("/sign-in").text
    desk.add_user()
    assert "kybdesk user add" not in desk.client.get("/sign-in").text


def test_the_page_that_was_asked_for_opens_after_signing_in(desk: Desk) -> None:
    desk.add_user()
    asked = desk.get_raw("/desk?q=a%20b&x=%2F")
    assert (asked.status_code, asked.headers["location"]) == (
        303,
        "/sign-in?next=%2Fdesk%3Fq%3Da%2520b%26x%3D%252F",
    )
    assert 'value="/desk?q=a%20b&amp;x=%2F"' in desk.client.get(asked.headers["location"]).text
    assert desk.sign_in(next="/desk?q=a%20b&x=%2F").headers["location"] == "/desk?q=a%20b&x=%2F"


ELSEWHERE = [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "javascript:alert(1)",
    "evil.example",
    " //evil.example",
    "/a\r\nSet-Cookie: x=y",
    "/é",
    "",
]


def test_signing_in_never_leads_to_another_site(desk: Desk) -> None:
    desk.add_user()
    assert {desk.sign_in(next=elsewhere).headers["location"] for elsewhere in ELSEWHERE} == {"/"}


def test_a_token_that_the_visitor_brings_is_never_adopted(desk: Desk) -> None:
    desk.add_user()
    desk.client.cookies.set("kybdesk", "fixed-by-an-attacker")
    answer = desk.sign_in()
    assert cookie_of(answer).value != "fixed-by-an-attacker"
    fixed = httpx.get(desk.client.base_url.join("/desk"), headers={"Cookie": "kybdesk=fixed-by-an-attacker"})
    assert fixed.status_code == 303


def test_signing_in_again_ends_the_first_session(desk: Desk) -> None:
    desk.signed_in()
    first = desk.client.cookies["kybdesk"]
    assert desk.sign_in().status_code == 303
    assert desk.client.cookies["kybdesk"] != first
    assert len(found(desk, select(sessions.c.id))) == 1


def test_an_anonymous_visit_stores_nothing(desk: Desk) -> None:
    answer = desk.client.get("/sign-in")
    assert "set-cookie" not in answer.headers
    assert found(desk, select(sessions.c.id)) == []


def test_signing_out_ends_the_session_and_the_cookie(desk: Desk) -> None:
    desk.signed_in()
    kept = {"Cookie": f"kybdesk={desk.client.cookies['kybdesk']}"}
    answer = desk.client.post("/sign-out", headers=SAME_ORIGIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert (cookie_of(answer).value, cookie_of(answer)["max-age"]) == ("", "0")
    assert found(desk, select(sessions.c.id)) == []
    assert desk.client.get("/desk", headers=kept).status_code == 303


@pytest.mark.parametrize(
    "age", [{"used_at": timedelta(hours=8, seconds=1)}, {"created_at": timedelta(days=7, seconds=1)}]
)
def test_a_session_ends_after_8_idle_hours_and_after_7_days(desk: Desk, age: dict[str, timedelta]) -> None:
    desk.signed_in()
    then = {column: datetime.now(UTC) - span for column, span in age.items()}
    execute(desk, update(sessions).values(then))
    assert desk.client.get("/desk").status_code == 303


def test_a_session_lives_on_while_it_is_used(desk: Desk) -> None:
    desk.signed_in()
    execute(desk, update(sessions).values(used_at=datetime.now(UTC) - timedelta(hours=7)))
    execute(desk, update(users).values(seen_at=datetime.now(UTC) - timedelta(hours=7)))
    assert desk.client.get("/desk").status_code == 200
    for column in (sessions.c.used_at, users.c.seen_at):
        [at] = found(desk, select(column))
        assert datetime.now(UTC) - at < timedelta(seconds=30)


def test_the_last_use_is_written_at_most_once_a_minute(desk: Desk) -> None:
    desk.signed_in()
    lately = datetime.now(UTC) - timedelta(seconds=50)
    execute(desk, update(sessions).values(used_at=lately))
    assert desk.client.get("/desk").status_code == 200
    assert found(desk, select(sessions.c.used_at)) == [lately]


def test_a_page_that_is_only_left_open_keeps_no_session_alive(desk: Desk) -> None:
    desk.signed_in()
    before = datetime.now(UTC) - timedelta(hours=7)
    execute(desk, update(sessions).values(used_at=before))
    assert desk.client.get("/changed?since=0", headers=PARTIAL).status_code == 204
    assert found(desk, select(sessions.c.used_at)) == [before]


def test_a_page_opens_though_the_last_use_cannot_be_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.signed_in()
    execute(desk, update(sessions).values(used_at=datetime.now(UTC) - timedelta(hours=7)))
    monkeypatch.setattr(desk.app.state, "writer", Locked())
    assert desk.client.get("/desk").status_code == 200


def test_a_disabled_user_is_out_at_once_even_where_the_session_was_left(desk: Desk) -> None:
    desk.signed_in()
    execute(desk, update(users).values(disabled_at=datetime.now(UTC)))
    assert len(found(desk, select(sessions.c.id))) == 1
    assert desk.client.get("/desk").status_code == 303


def test_ten_failures_lock_an_address_even_with_the_right_password(desk: Desk) -> None:
    desk.add_user()
    assert {desk.sign_in(password="wrong password").status_code for _ in range(10)} == {401}
    answer = desk.sign_in()
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 15 * 60
    assert "Wait 15 min" in answer.text
    desk.add_user(email="bo@example.com")
    assert desk.sign_in("bo@example.com").status_code == 303


def test_signing_in_often_locks_nobody(desk: Desk) -> None:
    desk.add_user()
    assert {desk.sign_in().status_code for _ in range(12)} == {303}


def test_a_fault_of_ours_is_not_counted_as_a_failure(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.add_user()
    with monkeypatch.context() as gone:
        gone.setattr(desk.app.state, "writer", Locked())
        assert {desk.sign_in().status_code for _ in range(11)} == {503}
    assert desk.sign_in().status_code == 303


PUBLIC = {"/sign-in", "/password/{token:str}", "/static/{file_path:path}", "/healthz"}


def test_every_route_but_the_public_ones_needs_a_session(desk: Desk) -> None:
    reached = {
        (route.path, method): _visit(desk, route.path, method)
        for route in desk.app.routes
        for method in route.methods
    }
    assert {path for path, _ in reached} >= {*PUBLIC, "/changed", "/sign-out", "/desk", "/act"}
    for (path, method), answer in reached.items():
        if path not in PUBLIC or method == "OPTIONS":
            assert answer.status_code == 303, (method, path)
            assert answer.headers["location"].startswith("/sign-in"), (method, path)


def _visit(desk: Desk, route: str, method: str) -> httpx.Response:
    path = route
    for kind, example in (("int", "1"), ("path", "x"), ("str", "x")):
        path = "/".join(example if part.endswith(f":{kind}}}") else part for part in path.split("/"))
    return desk.client.request(method, path, headers=SAME_ORIGIN)


def test_the_health_check_needs_neither_session_nor_name(desk: Desk) -> None:
    answer = desk.client.get("/healthz", headers={"Host": "10.1.2.3"})
    assert (answer.status_code, answer.text) == (200, "ok")


def test_an_open_page_is_told_that_its_session_has_ended(desk: Desk) -> None:
    answer = desk.client.get("/desk", headers=PARTIAL)
    assert answer.status_code == 401
    assert "Your session has ended." in answer.text
    assert "<html" not in answer.text
    assert (answer.headers["hx-retarget"], answer.headers["hx-reswap"]) == ("#flash", "innerMorph")


@pytest.mark.parametrize(
    ("page", "next_page"),
    [
        ("http://desk/cases/a?at=1&x=%22%3E#notes", "?next=%2Fcases%2Fa%3Fat%3D1%26x%3D%2522%253E"),
        ("http://desk//evil.example", ""),
        ("//evil.example", ""),
        ("javascript:alert(1)", ""),
        ('http://desk/a"><b>', "?next=%2Fa%22%3E%3Cb%3E"),
        ("http://[", ""),
        ("", ""),
        ("http://desk/" + "x" * 20_000, ""),
    ],
)
def test_an_open_page_links_to_a_sign_in_that_comes_back_to_it(desk: Desk, page: str, next_page: str) -> None:
    answer = desk.client.post("/act", headers={**SAME_ORIGIN, **PARTIAL, "Referer": page})
    link = f'<a href="/sign-in{next_page}" target="_blank" hx-boost="false">Sign in again in another tab</a>'
    assert (answer.status_code, link in answer.text) == (401, True), answer.text


def test_a_post_without_a_session_leads_to_the_sign_in_page(desk: Desk) -> None:
    answer = desk.client.post("/act", headers=SAME_ORIGIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_a_viewer_may_not_reprocess(desk: Desk) -> None:
    desk.signed_in("viewer")
    answer = desk.client.post("/act", headers=SAME_ORIGIN)
    assert answer.status_code == 403
    assert "You may look, but not re-process" in answer.text
    part = desk.client.post("/act", headers={**SAME_ORIGIN, **PARTIAL})
    assert (part.status_code, part.headers["hx-retarget"]) == (403, "#flash")


@pytest.mark.parametrize("role", ["operator", "lead", "admin"])
def test_the_others_may_reprocess(desk: Desk, role: str) -> None:
    assert desk.signed_in(role).client.post("/act", headers=SAME_ORIGIN).text == "done"


FROM_ELSEWHERE: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8000"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://127.0.0.1:8000.evil.example"},
    {},
]


@pytest.mark.parametrize("path", ["/act", "/sign-in", "/sign-out"])
def test_another_sites_request_is_refused(desk: Desk, path: str) -> None:
    desk.signed_in()
    for headers in FROM_ELSEWHERE:
        answer = desk.client.post(path, data={"email": EMAIL, "password": PASSWORD}, headers=headers)
        assert answer.status_code == 403, headers
        assert "This did not come from KYB Desk" in answer.text
    assert len(found(desk, select(sessions.c.id))) == 1


def test_our_own_pages_requests_pass(desk: Desk) -> None:
    desk.signed_in()
    own = str(desk.client.base_url).rstrip("/")
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": own}):
        assert desk.client.post("/act", headers=headers).text == "done"


def test_the_configured_address_is_ours_too(database: Database, open_desk: OpenDesk) -> None:
    desk = open_desk(database, dashboard_url="https://kyb.example.com")
    answer = desk.client.post("/sign-in", headers={"Origin": "https://kyb.example.com"})
    assert answer.status_code == 401


REBOUND = [
    "evil.example",
    "evil.example:8000",
    "127.0.0.1.evil.example",
    "localhost.evil",
    "10.1.2.3",
    "127.0.0.1:99999",
    "[",
    "",
]


def test_another_name_that_resolves_to_us_is_refused(desk: Desk) -> None:
    desk.add_user()
    for host in REBOUND:
        answer = desk.client.post("/sign-in", headers={"Host": host, **SAME_ORIGIN})
        assert answer.status_code == 421, host
        assert "KYBDESK_DASHBOARD_URL" in answer.text


def test_a_password_that_never_ends_is_wrong_at_once(desk: Desk) -> None:
    """To put a million accents into their order takes minutes, in which nobody else would be answered."""
    desk.add_user()
    assert desk.sign_in(password=PASSWORD + "\u0301\u0316" * 50_000).status_code == 401
    assert desk.sign_in().status_code == 303


def test_an_address_too_long_to_come_back_to_leads_to_sign_in_all_the_same(desk: Desk) -> None:
    for size, wanted in ((2_000, True), (10_000, False)):
        answer = desk.get_raw("/cases/" + "%C3%A9" * (size // 2))
        assert (answer.status_code, "next=" in answer.headers["location"]) == (303, wanted)
        assert desk.get_raw(answer.headers["location"]).status_code == 200


def test_two_names_at_once_are_refused(desk: Desk) -> None:
    request = b"GET /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n"
    with socket.create_connection(("127.0.0.1", desk.client.base_url.port or 0)) as connection:
        connection.sendall(request)
        assert connection.recv(64).startswith(b"HTTP/1.1 421 ")


@pytest.mark.parametrize(
    ("bound", "hosts"),
    [
        ("127.0.0.1", ["kyb.example.com", "KYB.example.com:443", "localhost:8000", "[::1]:8000"]),
        ("desk.internal", ["desk.internal:8000"]),
        ("0.0.0.0", ["192.168.1.5:8000"]),
    ],
)
def test_our_own_names_are_accepted(
    database: Database, open_desk: OpenDesk, bound: str, hosts: list[str]
) -> None:
    desk = open_desk(database, dashboard_url="https://kyb.example.com", dashboard_host=bound)
    for host in hosts:
        assert desk.client.get("/sign-in", headers={"Host": host}).status_code == 200, host
