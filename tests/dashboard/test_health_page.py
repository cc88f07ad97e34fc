"""The health page: calm where all is well, and exact where it is not."""

from datetime import UTC, datetime, timedelta
from html import unescape

from sqlalchemy import delete, insert, select, update

from receiver.database import Database
from receiver.models import Shape, Verdict, outages, role_signs, workers
from tests.dashboard.desk import PARTIAL, Desk
from tests.factories import (
    DAY,
    HOSTILE,
    HOUR,
    MINUTE,
    add_delivery,
    add_event,
    add_worker,
    count_delivery,
    writing,
)

ROLES = ("receiver", "worker", "dashboard")


def all_there(database: Database) -> None:
    with writing(database) as connection:
        connection.execute(delete(role_signs))
        for number, role in enumerate(ROLES):
            add_worker(connection, role, pid=100 + number)


def health(desk: Desk) -> str:
    page = desk.signed_in().client.get("/health")
    assert page.status_code == 200
    return unescape(page.text)


def away(database: Database, role: str, began_at: datetime, ended_at: datetime) -> None:
    with writing(database) as connection:
        connection.execute(insert(outages).values(role=role, began_at=began_at, ended_at=ended_at))


def test_where_all_is_well_the_page_is_calm(desk: Desk) -> None:
    all_there(desk.database)
    page = health(desk)
    assert "All is well" in page
    assert "Nothing is owed" in page
    assert "No outage was noted" in page
    assert '<li class="notice' not in page


def test_a_role_that_is_gone_is_missed_and_its_outage_lasts(desk: Desk) -> None:
    all_there(desk.database)
    gone_at = datetime.now(UTC) - 2 * HOUR
    with writing(desk.database) as connection:
        connection.execute(delete(workers).where(workers.c.role == "receiver"))
        connection.execute(update(role_signs).where(role_signs.c.role == "receiver").values(seen_at=gone_at))
    page = health(desk)
    assert "The receiver is not running: no status change can arrive." in page
    assert "The receiver is not there since" in page
    assert "it lasts" in page
    assert "VOVE may switch the endpoint off" in page
    assert f"{gone_at + timedelta(days=5):%-d %b %Y, %H:%M}" in page


def test_an_outage_is_told_with_what_is_still_sent_by_both_schedules(desk: Desk) -> None:
    all_there(desk.database)
    began_at = datetime.now(UTC) - 2 * DAY
    away(desk.database, "receiver", began_at, began_at + 30 * HOUR)
    page = health(desk)
    for schedule in (timedelta(hours=27, minutes=35, seconds=5), DAY):
        until = (began_at + schedule).isoformat(timespec="milliseconds")
        assert f'is sent again until <time datetime="{until}"' in page
    assert "Some of what VOVE sent while the receiver was away may be lost." in page
    assert "kybdesk reconcile" in page
    assert "week__away" in page


def test_an_outage_of_the_worker_is_listed_but_owes_nothing(desk: Desk) -> None:
    all_there(desk.database)
    now = datetime.now(UTC)
    away(desk.database, "worker", now - HOUR, now - 50 * MINUTE)
    page = health(desk)
    assert "Nothing is owed" in page
    assert page.count("<g><title>Worker not there") == 1


def test_deliveries_that_are_all_refused_are_failures_to_the_sender(desk: Desk) -> None:
    all_there(desk.database)
    began_at = datetime.now(UTC) - 6 * DAY
    with writing(desk.database) as connection:
        add_delivery(connection, received_at=began_at - HOUR)
        for number in range(3):
            at = began_at + number * DAY
            add_delivery(connection, Verdict.REFUSED, cause="no_match", shape=Shape.SVIX, received_at=at)
    page = health(desk)
    assert "Every delivery that looks like VOVE's is refused" in page
    assert "VOVE may have switched the endpoint off" in page
    assert "not signed with one of our secrets" in page


def test_a_single_refused_one_is_somebodys_test(desk: Desk) -> None:
    all_there(desk.database)
    with writing(desk.database) as connection:
        add_delivery(connection, Verdict.REFUSED, cause="no_match", shape=Shape.SVIX)
    assert "All is well" in health(desk)


def test_what_came_is_counted_by_the_hour_and_leads_to_the_list(desk: Desk) -> None:
    all_there(desk.database)
    now = datetime.now(UTC)
    with writing(desk.database) as connection:
        for verdict in ("accepted", "accepted", "refused"):
            count_delivery(connection, now, verdict)
        add_event(connection, "ACME-1", dispatched_at=None, received_at=now - HOUR)
    page = health(desk)
    assert "2 accepted" in page
    assert f"/deliveries?verdict=accepted&from={now:%Y-%m-%dT%H}%3A00Z" in page
    assert "Status changes wait for their tasks" in page


def test_several_hosts_and_their_errors_are_told_as_text(desk: Desk) -> None:
    all_there(desk.database)
    with writing(desk.database) as connection:
        add_worker(connection, "worker", host="desk-2", pid=7, error=HOSTILE)
    answer = desk.signed_in().client.get("/health").text
    assert "desk-2" in answer
    assert "Can't work" in answer
    assert "<script>alert" not in answer


def test_where_it_is_kept_is_told(desk: Desk) -> None:
    page = health(desk)
    assert "Room left on the disk" in page
    assert "journal mode" in page


def test_a_part_is_answered_with_the_part(desk: Desk) -> None:
    part = desk.signed_in().client.get("/health", headers=PARTIAL).text
    assert part.lstrip().startswith('<div id="health"')


def test_the_dashboard_itself_gives_signs(desk: Desk) -> None:
    desk.signed_in()
    engine = desk.database.writer()
    with engine.begin() as connection:
        assert "dashboard" in connection.execute(select(role_signs.c.role)).scalars().all()
    engine.dispose()
