"""`/password/{token}` and `/password` over the socket: choosing, changing, and nothing let out on the way."""

import logging
import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from itertools import pairwise

import httpx
import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from dashboard.auth import people
from dashboard.auth.links import HOLDS
from receiver.database import Database
from receiver.models import password_links, sessions, users
from receiver.server import server
from receiver.settings import Settings
from tests.dashboard.conftest import OpenDesk
from tests.dashboard.desk import EMAIL, PARTIAL, PASSWORD, SAME_ORIGIN, Desk
from tests.factories import writing

BO = "bo@example.com"
CHOSEN = "a password that I chose"
NO_LINK = "x" * 43


def invite(desk: Desk) -> str:
    """bo's link, as given by ana."""
    with writing(desk.database) as connection:
        return people.add_person(connection, BO, "operator", EMAIL, datetime.now(UTC))


@pytest.fixture
def token(desk: Desk) -> str:
    desk.add_user("admin")
    return invite(desk)


def choose(desk: Desk, token: str, password: str = CHOSEN, again: str | None = None) -> httpx.Response:
    form = {"password": password, "again": password if again is None else again}
    return desk.client.post(f"/password/{token}", data=form, headers=SAME_ORIGIN)


def change(desk: Desk, old: str = PASSWORD, new: str = CHOSEN, again: str | None = None) -> httpx.Response:
    form = {"old": old, "password": new, "again": new if again is None else again}
    return desk.client.post("/password", data=form, headers=SAME_ORIGIN)


def test_a_link_leads_to_a_password_and_into_the_desk(desk: Desk, token: str) -> None:
    page = desk.client.get(f"/password/{token}")
    assert page.status_code == 200
    assert f'value="{BO}" autocomplete="username" readonly' in page.text
    assert page.text.count('autocomplete="new-password"') == 2
    answer = choose(desk, token)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert BO in desk.client.get("/users").text
    assert desk.sign_in(BO, CHOSEN).status_code == 303
    assert "chose a password by the link" in desk.client.get("/activity").text


def test_looking_at_a_link_does_not_use_it_up(desk: Desk, token: str) -> None:
    for _ in range(3):
        assert desk.client.get(f"/password/{token}").status_code == 200
        assert desk.client.head(f"/password/{token}").status_code == 200
    assert choose(desk, token).status_code == 303


def test_a_token_that_the_visitor_brings_is_never_adopted(desk: Desk, token: str) -> None:
    desk.client.cookies.set("kybdesk", "fixed-by-an-attacker")
    header = choose(desk, token).headers["set-cookie"]
    assert "fixed-by-an-attacker" not in header
    assert token not in header
    fixed = httpx.get(desk.client.base_url.join("/users"), headers={"Cookie": "kybdesk=fixed-by-an-attacker"})
    assert fixed.status_code == 303


def test_a_link_ends_the_session_of_whoever_was_signed_in_here(desk: Desk, token: str) -> None:
    desk.sign_in()
    anas = dict(desk.client.cookies)
    choose(desk, token)
    assert httpx.get(desk.client.base_url.join("/users"), cookies=anas).status_code == 303
    with writing(desk.database) as connection:
        assert len(connection.execute(select(sessions)).all()) == 1


def test_links_that_do_not_hold_read_the_same_whatever_became_of_them(desk: Desk, token: str) -> None:
    used = token
    choose(desk, used)
    with writing(desk.database) as connection:
        people.add_person(connection, "cy@example.com", "viewer", EMAIL, datetime.now(UTC))
        voided = people.give_link(connection, "cy@example.com", EMAIL, datetime.now(UTC))
        disabled = people.give_link(connection, "cy@example.com", EMAIL, datetime.now(UTC))
        connection.execute(update(users).where(users.c.email == "cy@example.com").values(disabled_at=_now()))
        expired = people.add_person(connection, "di@example.com", "viewer", EMAIL, _now() - HOLDS)
    desk.client.cookies.clear()
    answers = {}
    for name, each in [("used", used), ("voided", voided), ("disabled", disabled), ("expired", expired),
                       ("unknown", NO_LINK)]:  # fmt: skip
        for answer in (desk.client.get(f"/password/{each}"), choose(desk, each)):
            assert answer.status_code == 404, name
            answers[name] = answer.text.replace(each, "…"), sorted(answer.headers)
    assert len({repr(answer) for answer in answers.values()}) == 1
    assert "Ask an administrator of KYB Desk for a new one." in answers["used"][0]


def _now() -> datetime:
    return datetime.now(UTC)


def test_what_is_no_token_at_all_opens_nothing(desk: Desk, token: str) -> None:
    for odd in (token[:-1], token + "x", token.swapcase(), "%00", "%C3%A9", "x" * 5000, "a%2Fb"):
        assert desk.get_raw(f"/password/{odd}").status_code == 404, odd
    assert desk.get_raw(f"/%70assword/{token}").status_code == 404
    assert desk.get_raw(f"/password/{token}/").status_code == 404


@pytest.mark.parametrize(
    ("password", "again", "why"),
    [
        ("too short", None, "at least 12 characters"),
        ("x" * 1025, None, "at most 1024"),
        (CHOSEN, CHOSEN + "x", "in two different ways"),
        ("", "", "at least 12 characters"),
    ],
    ids=["short", "long", "differ", "nothing"],
)
def test_a_password_that_cannot_be_is_refused_and_the_link_still_holds(
    desk: Desk, token: str, password: str, again: str | None, why: str
) -> None:
    answer = choose(desk, token, password, again)
    assert answer.status_code == 422
    assert why in answer.text
    assert not password or password not in answer.text
    assert "set-cookie" not in answer.headers
    assert choose(desk, token).status_code == 303


def test_another_sites_form_chooses_nothing(desk: Desk, token: str) -> None:
    form = {"password": CHOSEN, "again": CHOSEN}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}, {}):
        answer = desk.client.post(f"/password/{token}", data=form, headers=headers)
        assert answer.status_code == 403
    assert choose(desk, token).status_code == 303


def test_forms_that_come_out_of_nothing_choose_nothing(desk: Desk, token: str) -> None:
    for form in ({}, {"password": [CHOSEN, CHOSEN]}, {"password": CHOSEN}):
        answer = desk.client.post(f"/password/{token}", data=form, headers=SAME_ORIGIN)
        assert answer.status_code == 422


def test_no_password_is_chosen_or_changed_over_plain_http_from_elsewhere(
    database: Database, open_desk: OpenDesk
) -> None:
    desk = open_desk(database, dashboard_url="http://kyb.example.com")
    desk.add_user("admin")
    token = invite(desk)
    desk.client.headers["Host"] = "kyb.example.com"
    assert "over https only" in desk.client.get(f"/password/{token}").text
    answer = choose(desk, token)
    assert answer.status_code == 403
    assert "over https only" in answer.text
    with writing(database) as connection:
        assert connection.execute(select(password_links)).all()


def test_behind_https_the_cookie_is_the_safe_one(database: Database, open_desk: OpenDesk) -> None:
    proxies = (ip_network("127.0.0.0/8"),)
    desk = open_desk(database, dashboard_url="https://kyb.example.com", trusted_proxies=proxies)
    desk.add_user("admin")
    token = invite(desk)
    desk.client.headers.update({"X-Forwarded-Proto": "https", "Host": "kyb.example.com"})
    header = choose(desk, token).headers["set-cookie"]
    assert header.startswith("__Host-kybdesk=")
    assert "Secure" in header


def test_who_tries_thirty_links_waits_but_a_good_one_works(desk: Desk, token: str) -> None:
    for n in range(30):
        assert desk.client.get(f"/password/{n}").status_code == 404
    for answer in (desk.client.get(f"/password/{NO_LINK}"), choose(desk, NO_LINK)):
        assert answer.status_code == 429
        assert "Wait 15 min" in answer.text
    assert desk.client.get(f"/password/{token}").status_code == 200
    assert choose(desk, token).status_code == 303


def test_the_address_of_a_link_is_told_to_nobody(desk: Desk, token: str) -> None:
    """With `same-origin` the next request would name it, and a proxy in front writes that into its log."""
    for path in (f"/password/{token}", f"/password/{NO_LINK}"):
        answer = desk.client.get(path)
        assert answer.headers["referrer-policy"] == "strict-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"(?:href|src)=\"(?:https?:)?//", answer.text)
    assert desk.client.get("/password").headers["referrer-policy"] == "same-origin"


# The client's; and the server's own, which is switched off, but not for pytest.
NOT_OURS = ("httpx", "httpcore", "uvicorn.access")


def test_the_server_writes_no_addresses_into_a_log(desk: Desk) -> None:
    assert server(desk.app, "127.0.0.1", 0, Settings()).config.access_log is False


class Failing:
    """Stands for an engine whose database can't be asked."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def connect(self) -> None:
        raise self._error

    begin = connect


@pytest.mark.parametrize(
    ("error", "status"),
    [(OperationalError("SELECT", {}, Exception("locked")), 503), (ValueError("no"), 500)],
    ids=["database", "fault"],
)
@pytest.mark.parametrize("engine", ["readers", "writer"])
def test_no_line_of_the_log_names_a_token_or_a_password(
    desk: Desk, token: str, engine: str, error: Exception, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desk.app.state, engine, Failing(error))
        assert choose(desk, token).status_code == status
    choose(desk, token)
    ours = [record for record in caplog.records if not record.name.startswith(NOT_OURS)]
    written = "\n".join(logging.Formatter().format(record) for record in ours)
    assert "/password/{token}" in written
    for secret in (token, CHOSEN, PASSWORD):
        assert secret not in written


def test_nothing_secret_is_kept_in_the_clear(desk: Desk, token: str) -> None:
    choose(desk, token)
    desk.sign_in()
    change(desk)
    kept = b"".join(path.read_bytes() for path in desk.database.path.parent.glob("kybdesk.db*"))  # type: ignore[union-attr]
    for secret in (token, CHOSEN, PASSWORD):
        assert secret.encode() not in kept


def test_ones_own_password_is_changed_and_one_stays_where_one_was(desk: Desk) -> None:
    desk.signed_in("viewer")
    elsewhere = dict(desk.client.cookies)
    desk.client.cookies.clear()
    desk.sign_in()
    copied = dict(desk.client.cookies)
    assert 'href="/password"' in desk.client.get("/users").text
    answer = change(desk)
    assert (answer.status_code, answer.headers["location"]) == (303, "/password?saved=yes")
    assert "Your password is changed." in desk.client.get("/password?saved=yes").text
    for ended in (elsewhere, copied):
        assert httpx.get(desk.client.base_url.join("/users"), cookies=ended).status_code == 303
    assert desk.sign_in(password=PASSWORD).status_code == 401
    assert desk.sign_in(password=CHOSEN).status_code == 303
    assert "changed their own password" in desk.client.get("/activity").text


@pytest.mark.parametrize(
    ("old", "new", "again", "why"),
    [
        ("not my password", CHOSEN, None, "not your current password"),
        ("", CHOSEN, None, "not your current password"),
        (PASSWORD, "too short", None, "at least 12 characters"),
        (PASSWORD, CHOSEN, CHOSEN + "x", "in two different ways"),
        (PASSWORD, PASSWORD, None, "Choose another one than the present."),
        ("not this one", "not this one", None, "not your current password"),
    ],
    ids=["wrong", "none", "short", "differ", "the same", "wrong and the same"],
)
def test_what_cannot_be_changed_is_said_and_nothing_typed_comes_back(
    desk: Desk, old: str, new: str, again: str | None, why: str
) -> None:
    desk.signed_in()
    answer = change(desk, old, new, again)
    assert answer.status_code == 422
    assert why in answer.text
    assert not any(typed in answer.text for typed in (old, new) if typed)
    assert desk.sign_in().status_code == 303


def test_who_finds_a_desk_unlocked_guesses_ten_times(desk: Desk) -> None:
    desk.signed_in()
    assert {change(desk, f"guess number {n}").status_code for n in range(10)} == {422}
    answer = change(desk)
    assert answer.status_code == 429
    assert "Wait 15 min" in answer.text


def test_changing_ones_password_often_locks_nobody(desk: Desk) -> None:
    desk.signed_in()
    passwords = [PASSWORD, *(f"password number {n}" for n in range(11))]
    for old, new in pairwise(passwords):
        assert change(desk, old, new).status_code == 303


def test_ones_own_password_needs_a_session_and_our_own_page(desk: Desk) -> None:
    answer = change(desk)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    desk.signed_in()
    form = {"old": PASSWORD, "password": CHOSEN, "again": CHOSEN}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {}):
        assert desk.client.post("/password", data=form, headers=headers).status_code == 403
    assert desk.sign_in().status_code == 303


def test_an_open_page_that_asks_for_a_part_gets_the_words_beside_it(desk: Desk, token: str) -> None:
    answer = desk.client.get(f"/password/{NO_LINK}", headers=PARTIAL)
    assert (answer.status_code, answer.headers["hx-retarget"]) == (404, "#flash")
    assert timedelta(days=3) == HOLDS
