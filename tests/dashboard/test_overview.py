"""The front door, over a socket."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from dashboard.queries import overview
from receiver.database import Database
from receiver.models import WRONG, status_limits
from tests.dashboard.desk import PARTIAL, Desk
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
        count_delivery(connection, datetime.now(UTC), "refused")
    page = desk.signed_in().client.get("/").text
    for href in (
        "/runs?tab=person",
        "/cases?needs=limit",
        "/cases?needs=not_enabled",
        "/cases?needs=still_enabled",
        "/cases?needs=not_told",
        "/deliveries?verdict=refused",
    ):
        assert f'href="{href}' in page, href
    assert "d over" in page
    assert "DELTA-1" in page


def test_what_has_just_happened_is_not_yet_wrong(desk: Desk) -> None:
    now = datetime.now(UTC)
    with writing(desk.database) as connection:
        add_handler(connection, effect="account")
        add_case(connection, "ACME-1", way=("IN_REVIEW", "COMPLETED"), at=now - timedelta(minutes=2))
    assert "not_enabled" not in desk.signed_in().client.get("/").text


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
    assert read(any_database, lambda c: overview.count_where(c, WRONG["not_told"])) == 1
    assert read(any_database, lambda c: overview.count_where(c, WRONG["not_enabled"])) == 1
    with writing(any_database) as connection:
        add_business(connection, "CEDAR-1", account_status="suspended")
    assert read(any_database, lambda c: overview.count_where(c, WRONG["not_enabled"])) == 2


def test_the_oldest_task_is_the_first_that_is_not_done(any_database: Database) -> None:
    with writing(any_database) as connection:
        event_id = add_case(connection, "ACME-1")[-1]
        add_run(connection, event_id, "succeeded", handler="a")
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
