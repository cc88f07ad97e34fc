"""Limits and links, for everybody to see and for leads to set."""

import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import make_url, select

from receiver.database import Database
from receiver.desk_settings import find_settings, set_setting
from receiver.limits import Limit, find_limits, set_limit
from receiver.models import activities
from tests.dashboard.conftest import OpenDesk
from tests.dashboard.desk import EMAIL, SAME_ORIGIN, Desk
from tests.factories import HOSTILE, NOON, add_case, writing

BEN = "ben@example.com"
CRM = "https://crm.example.com/accounts?number={ref_id}"
OPEN = ("NOT_STARTED", "IN_PROGRESS", "IN_REVIEW")


def save_limits(desk: Desk, days: dict[str, str], **given: Any) -> httpx.Response:
    """The form as it stands on the page, with these days in it; `shown` is what it stood there before."""
    shown, counted = given.get("shown", {}), given.get("counted", "working")
    form = {
        "status": list(days),
        "days": list(days.values()),
        "counted": [counted] * len(days),
        "shown": [shown.get(status, "") for status in days],
    }
    return desk.client.post("/settings/limits", data=form, headers=SAME_ORIGIN)


def save_links(desk: Desk, **fields: str) -> httpx.Response:
    form = dict.fromkeys(("vove_link", "crm_link", "shown_vove_link", "shown_crm_link"), "") | fields
    return desk.client.post("/settings/links", data=form, headers=SAME_ORIGIN)


def limits(database: Database) -> dict[str, Limit]:
    with writing(database) as connection:
        return find_limits(connection)


def links(database: Database) -> dict[str, str]:
    with writing(database) as connection:
        return find_settings(connection)


def set_by_ben(database: Database, days: int) -> None:
    with writing(database) as connection:
        set_limit(connection, "IN_REVIEW", days, True, BEN, NOON)


def test_a_lead_sets_limits_and_the_page_says_who_did(any_database: Database, open_desk: OpenDesk) -> None:
    desk = open_desk(any_database).signed_in("lead")
    saved = save_limits(desk, {"NOT_STARTED": "", "IN_PROGRESS": "", "IN_REVIEW": " 5 "})
    assert (saved.status_code, saved.headers["location"]) == (303, "/settings?saved=limits")
    assert limits(any_database) == {"IN_REVIEW": Limit("IN_REVIEW", 5, True)}
    page = desk.client.get(saved.headers["location"]).text
    assert "The limits are saved." in page
    assert re.search(rf"IN_REVIEW.*value=\"5\".*{EMAIL}</bdi>, .*just now", page, re.DOTALL)


def test_a_limit_is_taken_away_by_emptying_its_field(desk: Desk) -> None:
    set_by_ben(desk.database, 5)
    assert (
        save_limits(desk.signed_in("lead"), {"IN_REVIEW": ""}, shown={"IN_REVIEW": "5 working"}).status_code
        == 303
    )
    assert limits(desk.database) == {}


def test_what_was_not_changed_in_the_form_is_no_change(desk: Desk) -> None:
    set_by_ben(desk.database, 5)
    saved = save_limits(desk.signed_in("admin"), {"IN_REVIEW": "5"}, shown={"IN_REVIEW": "5 working"})
    assert saved.status_code == 303
    with writing(desk.database) as connection:
        assert connection.execute(select(activities.c.by)).scalars().all() == [BEN]


@pytest.mark.parametrize("typed", ["0", "-3", "1.5", "five", "99999999", "3651", "٣", HOSTILE])
def test_what_is_no_number_of_days_comes_back_as_it_was_typed(desk: Desk, typed: str) -> None:
    refused = save_limits(desk.signed_in("lead"), {"IN_PROGRESS": "7", "IN_REVIEW": typed})
    assert refused.status_code == 422
    assert "Give a whole number of days from 1 to 3,650" in refused.text
    assert "Nothing was saved yet" in refused.text
    assert 'value="7"' in refused.text
    assert "<script>alert" not in refused.text
    assert limits(desk.database) == {}


def test_who_saves_second_reads_what_it_is_now_and_saves_again(desk: Desk) -> None:
    desk.signed_in("lead")
    set_by_ben(desk.database, 3)
    second = save_limits(desk, {"IN_PROGRESS": "7", "IN_REVIEW": "5"})
    assert second.status_code == 409
    assert "It says now: 3 working days" in second.text
    assert 'value="5"' in second.text
    assert limits(desk.database) == {"IN_REVIEW": Limit("IN_REVIEW", 3, True)}
    shown = dict(
        re.findall(
            r'name="status" value="(\w+)"><input type="hidden" name="shown" value="(.*?)"', second.text
        )
    )
    assert shown == {"IN_PROGRESS": "", "IN_REVIEW": "3 working"}
    assert save_limits(desk, {"IN_PROGRESS": "7", "IN_REVIEW": "5"}, shown=shown).status_code == 303
    assert {limit.days for limit in limits(desk.database).values()} == {5, 7}


def test_two_who_set_the_same_are_both_content(desk: Desk) -> None:
    set_by_ben(desk.database, 5)
    assert save_limits(desk.signed_in("lead"), {"IN_REVIEW": "5"}).status_code == 303


@pytest.mark.parametrize(
    "form", [{"status": ["IN_REVIEW"], "days": []}, {"status": ["A", "A"], "days": ["1", "2"]}]
)
def test_a_form_that_is_none_of_ours_is_refused(desk: Desk, form: dict[str, list[str]]) -> None:
    whole = form | {"counted": ["working"] * len(form["status"]), "shown": [""] * len(form["status"])}
    assert (
        desk.signed_in("lead").client.post("/settings/limits", data=whole, headers=SAME_ORIGIN).status_code
        == 400
    )


def test_final_statuses_have_no_row_unless_they_have_a_limit_and_unknown_ones_have(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "A", ("NOT_STARTED", "COMPLETED"))
        add_case(connection, "B", ("NOT_STARTED", HOSTILE))
        set_limit(connection, "REJECTED", 30, False, BEN, NOON)
    page = desk.signed_in("lead").client.get("/settings").text
    shown = re.findall(r'name="status" value="([^"]*)"', page)
    assert shown[:4] == [*OPEN, "REJECTED"]
    assert len(shown) == 5
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    ("role", "may"), [("viewer", False), ("operator", False), ("lead", True), ("admin", True)]
)
def test_leads_and_admins_set_and_the_others_read(desk: Desk, role: str, may: bool) -> None:
    set_by_ben(desk.database, 5)
    page = desk.signed_in(role).client.get("/settings").text
    assert ("Save the limits" in page) is may
    assert ("5 working days" in page) is not may
    assert save_limits(desk, {"NOT_STARTED": "9"}).status_code == (303 if may else 403)
    assert save_links(desk, crm_link=CRM).status_code == (303 if may else 403)
    assert len(limits(desk.database)) == 1 + may


def test_a_link_is_set_and_the_page_shows_where_it_leads(desk: Desk) -> None:
    saved = save_links(desk.signed_in("lead"), crm_link=f" {CRM} ")
    assert (saved.status_code, saved.headers["location"]) == (303, "/settings?saved=links")
    assert links(desk.database) == {"crm_link": CRM}
    assert "https://crm.example.com/accounts?number=acme-1" in desk.client.get("/settings").text


def test_a_link_that_can_be_none_comes_back_as_it_was_typed(desk: Desk) -> None:
    refused = save_links(desk.signed_in("lead"), crm_link="javascript:alert(1)//{ref_id}", vove_link=CRM)
    assert refused.status_code == 422
    assert "Begin with https://" in refused.text
    assert 'value="javascript:alert(1)//{ref_id}"' in refused.text
    assert links(desk.database) == {}


def test_a_link_that_somebody_changed_meanwhile_is_not_overwritten_unseen(desk: Desk) -> None:
    desk.signed_in("lead")
    with writing(desk.database) as connection:
        set_setting(connection, "crm_link", CRM, BEN, datetime.now(UTC))
    other = "https://other.example.com/{ref_id}"
    refused = save_links(desk, crm_link=other)
    assert refused.status_code == 409
    assert f"It says now: {CRM}" in refused.text
    assert save_links(desk, crm_link=other, shown_crm_link=CRM).status_code == 303
    assert links(desk.database) == {"crm_link": other}


def test_what_the_server_was_told_is_shown_without_any_secret(
    database: Database, open_desk: OpenDesk
) -> None:
    secrets = [
        "whsec_c2VjcmV0c2VjcmV0c2VjcmV0",
        "s3cret-key",
        "s3cret-mail",
        "s3cret-account",
        "s3cret-forward",
    ]
    desk = open_desk(
        database,
        webhook_secrets=(secrets[0],),
        vove_api_key=secrets[1],
        smtp_host="mail.example.com",
        smtp_password=secrets[2],
        account_url=f"https://ana:{secrets[3]}@accounts.example.com",
        account_secret=secrets[3],
        forward_secret=secrets[4],
        handler_modules=("acme.handlers",),
        sources={"VOVE_API_KEY": "environment", "KYBDESK_HANDLERS": ".env"},
    ).signed_in("admin")
    page = desk.client.get("/settings").text
    assert not [secret for secret in secrets if secret in page]
    told = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page))
    for row in (
        "VOVE&#39;s API set up VOVE_API_KEY in the environment",
        "Handlers acme.handlers KYBDESK_HANDLERS in .env",
        "Mail server set up KYBDESK_SMTP_HOST",
        "after 5 s, 1 min, 10 min, 1 h, 4 h, 12 h; then it needs a person",
        "SQLite, the file kybdesk.db",
    ):
        assert row in told


def test_a_postgresql_is_told_without_who_signs_in_to_it(database: Database, open_desk: OpenDesk) -> None:
    url = make_url("postgresql://desk:s3cret@db.example.com/kyb")
    page = open_desk(database, database_url=url).signed_in().client.get("/settings").text
    assert "PostgreSQL, kyb at db.example.com" in page
    assert "s3cret" not in page


def test_signing_in_comes_first(desk: Desk) -> None:
    assert desk.client.get("/settings").status_code == 303
    assert save_limits(desk, {"IN_REVIEW": "5"}).headers["location"] == "/sign-in"
