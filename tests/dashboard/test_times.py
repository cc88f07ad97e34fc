"""In which zone pages tell their times, and the switch."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.dashboard.conftest import OpenDesk
from tests.dashboard.desk import SAME_ORIGIN, Desk
from tests.factories import add_attempt, add_case, add_delivery, add_run, writing

LATE = datetime(2026, 3, 5, 22, 30, tzinfo=UTC)  # the next day in Asia, another month's end nowhere


@pytest.fixture
def desk(desk: Desk) -> Desk:
    return desk.signed_in()


def choose(desk: Desk, choice: str, **given: str) -> httpx.Response:
    headers = {name: value for name, value in given.items() if name == "referer"}
    form = {"times": choice, "next": given.get("next", "")}
    return desk.client.post("/times", data=form, headers=SAME_ORIGIN | headers)


def test_times_are_in_utc_until_somebody_chooses(desk: Desk) -> None:
    page = desk.client.get("/cases").text
    assert 'value="utc" aria-pressed="true"' in page
    assert "Times are in UTC." in page


def test_local_is_the_companys_zone_where_no_script_says_another(open_desk: OpenDesk, desk: Desk) -> None:
    there = open_desk(desk.database, timezone=ZoneInfo("Asia/Tokyo"))
    there.sign_in()
    assert choose(there, "local").status_code == 303
    page = there.client.get("/cases").text
    assert "Times are in Asia/Tokyo." in page
    assert "JST" in page


def test_the_choice_is_remembered_for_a_year_and_only_here(desk: Desk) -> None:
    cookie = choose(desk, "local").headers["set-cookie"]
    assert cookie.startswith("times=local;")
    assert all(part in cookie for part in ("Max-Age=31536000", "Path=/", "HttpOnly", "SameSite=lax"))
    assert "times=utc;" in choose(desk, "anything else").headers["set-cookie"]


def test_one_comes_back_to_where_one_was(desk: Desk) -> None:
    here = str(desk.client.base_url)
    assert choose(desk, "utc", referer=f"{here}/cases?q=a%2Fb").headers["location"] == "/cases?q=a%2Fb"
    assert choose(desk, "utc", next="/runs?tab=done").headers["location"] == "/runs?tab=done"
    for elsewhere in (
        "https://evil.example/x",
        "https://evil.example//x",
        f"{here}//evil.example",
        "nonsense",
    ):
        assert choose(desk, "utc", referer=elsewhere).headers["location"] == "/", elsewhere
    assert choose(desk, "utc", next="//evil.example").headers["location"] == "/"


def test_nobody_chooses_without_signing_in(open_desk: OpenDesk, desk: Desk) -> None:
    answer = open_desk(desk.database).client.post("/times", data={"times": "local"}, headers=SAME_ORIGIN)
    assert answer.headers["location"] == "/sign-in"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("zone", ["../../etc/passwd", "Nowhere/At_All", "", "Europe", "x" * 3000])
def test_a_zone_that_there_is_not_is_the_companys(desk: Desk, zone: str) -> None:
    desk.client.cookies.set("times", "local")
    desk.client.cookies.set("zone", zone)
    assert "Times are in UTC." in desk.client.get("/cases").text


def test_every_page_tells_another_date_in_a_zone_that_has_one(desk: Desk) -> None:
    with writing(desk.database) as connection:
        event = add_case(connection, at=LATE)[-1]
        run = add_run(connection, event, at=LATE)
        add_attempt(connection, run, started_at=LATE)
        delivery = add_delivery(connection, event_id=event, received_at=LATE)
    desk.client.cookies.set("times", "local")
    desk.client.cookies.set("zone", "Asia/Tokyo")
    for path in (
        "/cases",
        "/cases/ACME-1",
        "/runs",
        f"/runs/{run}",
        "/deliveries",
        f"/deliveries/{delivery}",
    ):
        page = desk.client.get(path).text
        assert "6 Mar" in page or "6 March" in page, path
        assert "5 Mar 2026" not in page, path
        assert "UTC</button>" in page
        assert "22:30:" not in page.replace("T22:30:", ""), path  # the machine's form stays in UTC
