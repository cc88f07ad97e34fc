"""The list of deliveries and one delivery's page."""

import re
from datetime import timedelta

import pytest

from dashboard.causes import CAUSES
from receiver.event import Unreadability
from receiver.models import Verdict
from tests.dashboard.desk import Desk
from tests.factories import HOSTILE, NOON, add_case, add_delivery, add_event, writing


def test_a_delivery_is_listed_with_what_it_said(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1", ("IN_PROGRESS", "IN_REVIEW"))
        add_delivery(connection, Verdict.REFUSED, cause="no_match")
    page = desk.signed_in().client.get("/deliveries").text
    assert "ACME-1" in page
    assert "not signed with one of our secrets" in page
    only = desk.client.get("/deliveries?verdict=refused").text
    assert "ACME-1" not in only


def test_an_empty_log_says_how_to_fill_it(desk: Desk) -> None:
    desk.signed_in()
    assert "kybdesk send" in desk.client.get("/deliveries").text
    assert "None of these." in desk.client.get("/deliveries?verdict=conflict").text


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_every_cause_is_told_in_words(desk: Desk, cause: str) -> None:
    verdict = Verdict.QUARANTINED if cause in set(Unreadability) else Verdict.REFUSED
    with writing(desk.database) as connection:
        delivery = add_delivery(connection, verdict, cause=cause, body=b"{}")
    page = desk.signed_in().client.get(f"/deliveries/{delivery}").text
    assert CAUSES[cause].why[:40].replace("'", "&#39;") in page
    assert cause not in page


def test_every_cause_of_the_receiver_has_its_words() -> None:
    assert set(Unreadability) <= CAUSES.keys()


def test_a_clock_that_is_off_is_measured(desk: Desk) -> None:
    signed_at = int((NOON - timedelta(seconds=412)).timestamp())
    with writing(desk.database) as connection:
        delivery = add_delivery(connection, Verdict.REFUSED, cause="too_old", svix_timestamp=signed_at)
    page = desk.signed_in().client.get(f"/deliveries/{delivery}").text
    assert "differ by 412 s" in page


def test_the_signature_is_never_shown(desk: Desk) -> None:
    with writing(desk.database) as connection:
        delivery = add_delivery(
            connection, Verdict.REFUSED, cause="no_match", signature="v1,c2VjcmV0", body=b"{}"
        )
    page = desk.signed_in().client.get(f"/deliveries/{delivery}").text
    assert "svix-signature" in page
    assert "not shown" in page
    assert "c2VjcmV0" not in page


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"refId":"a"}', "{\n  &#34;refId&#34;: &#34;a&#34;\n}"),
        (b"<script>alert(1)</script>", "&lt;script&gt;"),
        (b"\xff\x00hello", "00000000  ff 00 68 65 6c 6c 6f"),
        (HOSTILE.encode(), "⟨202E⟩gnp.exe⟨0007⟩"),
        (b"[" * 50_000, "[[[["),
        (b"9" * 100_000, "Only its beginning is shown."),
        (b"[" * 900 + b"0," * 30_000 + b"0" + b"]" * 900, "[0,0,0,"),
        (b"", "Exact"),
    ],
)
def test_any_bytes_are_shown_as_text_that_harms_nobody(desk: Desk, body: bytes, shown: str) -> None:
    with writing(desk.database) as connection:
        delivery = add_delivery(connection, Verdict.QUARANTINED, cause="not_json", body=body)
    answer = desk.signed_in().client.get(f"/deliveries/{delivery}")
    assert answer.status_code == 200
    assert shown in answer.text
    assert "<script>alert" not in answer.text
    assert len(answer.text) < 1_000_000


def test_a_key_that_stands_twice_is_not_hidden_by_formatting(desk: Desk) -> None:
    with writing(desk.database) as connection:
        delivery = add_delivery(
            connection, Verdict.QUARANTINED, cause="repeated_key", body=b'{"refId":"a","refId":"b"}'
        )
    page = desk.signed_in().client.get(f"/deliveries/{delivery}").text
    assert "Formatted" not in page
    assert page.count("refId&#34;") >= 2


def test_deliveries_of_the_same_message_lead_to_each_other(desk: Desk) -> None:
    with writing(desk.database) as connection:
        event = add_event(connection, "ACME-1", delivery_count=2)
        first = add_delivery(connection, event_id=event)
        repeat = add_delivery(connection, Verdict.DUPLICATE, event_id=event)
    page = desk.signed_in().client.get(f"/deliveries/{first}").text
    assert f'href="/deliveries/{repeat}"' in page
    assert re.search(r'href="/cases/ACME-1#event_\d+"', page)


def test_an_unknown_delivery_is_told_so(desk: Desk) -> None:
    desk.signed_in()
    answer = desk.client.get("/deliveries/4711")
    assert answer.status_code == 404
    assert "has made room" in answer.text
    assert desk.client.get(f"/deliveries/{10**30}").status_code == 404
