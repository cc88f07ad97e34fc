"""The front door, over a socket."""

import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from dashboard.needs import NEEDS, Need
from dashboard.queries import overview
from receiver.database import Database
from receiver.models import status_limits
from receiver.reasons import WrittenText, describe_reason, write_text
from tests.dashboard.desk import EMAIL, PARTIAL, Desk
from tests.dashboard.reading import read
from tests.factories import (
    DAY,
    HOSTILE,
    HOUR,
    NOON,
    add_business,
    add_case,
    add_handler,
    add_message,
    add_run,
    count_delivery,
    writing,
)

LATER = NOON + 30 * DAY


def test_who_signs_in_comes_to_the_overview(desk: Desk) -> None:
    desk.add_user()
    assert desk.sign_in().headers["Location"] == "/"
    assert "Nothing needs you." in desk.client.get("/").text


def test_each_concern_leads_to_its_list(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection, effect="account")
        add_handler(connection, "tell", "Tell them", effect="customer")
        add_run(connection, add_case(connection, "ACME-1")[-1], handler="tell")
        add_case(connection, "BOLT-1", way=("IN_REVIEW", "COMPLETED"))
        add_business(connection, "CEDAR-1", account_status="active")
        add_case(connection, "CEDAR-1", way=("IN_PROGRESS", "IN_REVIEW"))
        add_case(connection, "DELTA-1", way=("NOT_STARTED", "IN_PROGRESS"))
        limit = {"status": "IN_PROGRESS", "days": 3, "working_days": False}
        connection.execute(insert(status_limits).values(limit | {"updated_at": NOON, "updated_by": "ana"}))
        for verdict in ("refused", "conflict"):
            count_delivery(connection, datetime.now(UTC), verdict)
    page = desk.signed_in().client.get("/").text
    for href in (
        "/runs?tab=person",
        "/cases?needs=limit",
        "/cases?needs=not_enabled",
        "/cases?needs=still_enabled",
        "/cases?needs=not_told",
        "/deliveries?verdict=refused",
        "/deliveries?verdict=conflict",
    ):
        assert f'href="{href}' in page, href
    assert "Half of those that left it did so sooner." in page
    assert "d over" in page
    assert "DELTA-1" in page


def test_what_has_just_happened_is_not_yet_wrong(desk: Desk) -> None:
    now = datetime.now(UTC)
    with writing(desk.database) as connection:
        add_handler(connection, effect="account")
        add_case(connection, "ACME-1", way=("IN_REVIEW", "COMPLETED"), at=now - timedelta(minutes=2))
    assert "not_enabled" not in desk.signed_in().client.get("/").text


def test_the_number_is_that_of_the_list_behind_it(desk: Desk) -> None:
    now = datetime.now(UTC)
    with writing(desk.database) as connection:
        add_handler(connection, effect="account")
        add_handler(connection, "tell", "Tell them", effect="customer")
        for minutes in (1, 9, 11, 12):
            at = now - timedelta(minutes=minutes)
            add_business(connection, f"open-{minutes}", account_status="active")
            add_case(connection, f"open-{minutes}", way=("IN_PROGRESS", "IN_REVIEW"), at=at)
            add_case(connection, f"shut-{minutes}", way=("IN_REVIEW", "COMPLETED"), at=at)
            add_case(connection, f"told-{minutes}", way=("IN_REVIEW", "REJECTED"), at=at)
    page = desk.signed_in().client.get("/").text
    for need in (Need.STILL_ENABLED, Need.NOT_ENABLED, Need.NOT_TOLD):
        number = re.search(rf'/cases\?needs={need}">.*?<strong[^>]*>(\d+)<', page, re.DOTALL)
        assert number is not None, need
        rows = desk.client.get(f"/cases?needs={need}").text.partition("<tbody>")[2]
        assert rows.count('id="case_') == int(number[1]) == 2, need
        everything = desk.client.get("/cases").text.partition("<tbody>")[2]
        assert everything.count(f"<span>{NEEDS[need].text}</span>") == 2, need
        assert desk.client.get("/cases.csv").text.count(NEEDS[need].text) == 2, need


def test_a_part_is_without_the_frame_and_hostile_names_are_text(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, HOSTILE, way=("NOT_STARTED", HOSTILE), reason=HOSTILE)
        add_case(
            connection, f"{HOSTILE}2", way=("IN_REVIEW", "REJECTED"), at=datetime.now(UTC), reason=HOSTILE
        )
    part = desk.signed_in().client.get("/", headers=PARTIAL).text
    assert "<html" not in part
    assert "<script" not in part


def test_told_and_enabled_are_counted_no_more(any_database: Database) -> None:
    with writing(any_database) as connection:
        told = add_run(connection, add_case(connection, "ACME-1")[-1])
        add_case(connection, "BOLT-1")
        add_message(connection, told, sent_at=NOON + HOUR)
        add_business(connection, "CEDAR-1", account_status="active")
        add_case(connection, "CEDAR-1", way=("IN_REVIEW", "COMPLETED"))
        add_case(connection, "DELTA-1", way=("IN_REVIEW", "COMPLETED"))
    assert read(any_database, lambda c: overview.count_needing(c, Need.NOT_TOLD, LATER)) == 1
    assert read(any_database, lambda c: overview.count_needing(c, Need.NOT_ENABLED, LATER)) == 1
    with writing(any_database) as connection:
        add_business(connection, "CEDAR-1", account_status="suspended")
    assert read(any_database, lambda c: overview.count_needing(c, Need.NOT_ENABLED, LATER)) == 2


def test_the_oldest_task_is_the_first_that_is_not_done(any_database: Database) -> None:
    with writing(any_database) as connection:
        event_id = add_case(connection, "ACME-1")[-1]
        add_run(connection, event_id, "succeeded", handler="a")
        add_run(connection, event_id, "failed", handler="d")
        waiting = add_run(connection, event_id, "queued", handler="b", at=NOON)
        add_run(connection, event_id, "failed", handler="c", at=NOON + DAY)
    oldest = read(any_database, overview.find_oldest_run)
    assert oldest is not None
    assert (oldest.id, oldest.ref_id, oldest.created_at) == (waiting, "ACME-1", NOON)


def test_a_stay_lasts_from_one_status_change_to_the_next(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_case(connection, "ACME-1", step=6 * HOUR)
        add_case(connection, "BOLT-1", step=12 * HOUR)
        add_case(connection, "CEDAR-1", step=24 * HOUR)
    stays = {stay.status: stay for stay in read(any_database, overview.find_stays)}
    assert stays.keys() == {"IN_PROGRESS", "IN_REVIEW"}
    assert (stays["IN_REVIEW"].days, stays["IN_REVIEW"].cases) == (0.5, 3)


def test_the_few_that_leave_a_final_status_say_nothing_of_those_that_stay(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_case(
            connection, "ACME-1", way=("NOT_STARTED", "IN_REVIEW", "COMPLETED", "IN_PROGRESS"), step=HOUR
        )
    (stay,) = read(any_database, overview.find_stays)
    assert stay.status == "IN_REVIEW"


def test_a_text_that_somebody_else_wrote_waits_for_who_may_approve_it(desk: Desk) -> None:
    with writing(desk.database) as connection:
        for writer, code in ((EMAIL, "PEP_HIT"), ("ben@example.com", "DOCUMENT_MISMATCH")):
            write_text(connection, code, WrittenText("en", "Please send it again.", writer), NOON)
        secret = WrittenText("en", "Never.", "ben@example.com")
        describe_reason(connection, "SANCTIONS", "ben@example.com", NOON, never_tell=True)
        write_text(connection, "SANCTIONS", secret, NOON)
    client = desk.signed_in("lead").client
    assert "text for customers waits for your approval" in client.get("/").text
    waiting = client.get("/rejections").text.partition('id="waiting"')[2].partition("</aside>")[0]
    assert "DOCUMENT_MISMATCH" in waiting
    assert "PEP_HIT" in waiting
    assert "SANCTIONS" not in waiting
    desk.add_user("operator", "olga@example.com")
    desk.sign_in("olga@example.com")
    assert "waits for your approval" not in client.get("/").text
