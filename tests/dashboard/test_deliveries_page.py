"""The list of deliveries and one delivery's page."""

import base64
import hashlib
import hmac
import json
import re
from datetime import timedelta
from html import unescape

import pytest

from dashboard.causes import CAUSES
from receiver.database import Database
from receiver.event import Unreadability
from receiver.models import Verdict
from receiver.verification import fingerprint
from tests.dashboard.conftest import OpenDesk
from tests.dashboard.desk import PARTIAL, Desk
from tests.factories import HOSTILE, MINUTE, NOON, add_case, add_delivery, add_event, writing
from tests.receiver.factories import OTHER_SECRET, SECRET


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


BODY = b'{"refId":"ACME-1","status":"REJECTED"}'
ID = "msg_2if9qqkVjQDrS738JZOnax9T7MO"


def signature(body: bytes, secret: str = SECRET) -> str:
    content = f"{ID}.{int(NOON.timestamp())}.".encode() + body
    digest = hmac.new(base64.b64decode(secret[6:]), content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def refused(desk: Desk, body: bytes, **given: str) -> str:
    """The page of a delivery that was refused with this body."""
    values = {"cause": "no_match", "svix_id": ID, "signature": signature(BODY)} | given
    with writing(desk.database) as connection:
        delivery = add_delivery(connection, Verdict.REFUSED, body=body, **values)
    page = desk.signed_in().client.get(f"/deliveries/{delivery}")
    assert page.status_code == 200
    assert_holds_no_secret(page.text)
    return unescape(page.text)


def assert_holds_no_secret(page: str) -> None:
    for secret in (SECRET, OTHER_SECRET):
        assert secret not in page
        assert secret.removeprefix("whsec_") not in page
    assert signature(BODY).removeprefix("v1,") not in page


def test_a_body_that_a_proxy_wrote_anew_is_recognised(open_desk: OpenDesk, database: Database) -> None:
    desk = open_desk(database, webhook_secrets=(SECRET, OTHER_SECRET))
    page = refused(desk, json.dumps(json.loads(BODY), indent=2).encode())
    assert "VOVE signed it as JavaScript's JSON.stringify (no spaces) writes it" in page
    assert "The signature fits these bytes with none of today's secrets" in page


def test_a_secret_that_is_ours_by_now_is_told(open_desk: OpenDesk, database: Database) -> None:
    page = refused(open_desk(database, webhook_secrets=(OTHER_SECRET, SECRET)), BODY)
    assert f"it was made with the secret {fingerprint(SECRET)}" in page
    assert "VOVE_WEBHOOK_SECRET was changed since this came" in page


def test_a_secret_that_was_taken_out_is_named(open_desk: OpenDesk, database: Database) -> None:
    with writing(database) as connection:
        add_delivery(connection, verified_by=fingerprint(SECRET))
    page = refused(open_desk(database, webhook_secrets=(OTHER_SECRET,)), BODY)
    assert f"with the secret {fingerprint(SECRET)}, which has been taken out since" in page


def test_a_right_signature_that_came_too_late_is_told_so(open_desk: OpenDesk, database: Database) -> None:
    with writing(database) as connection:
        late = add_delivery(
            connection,
            Verdict.REFUSED,
            cause="too_old",
            body=BODY,
            svix_id=ID,
            signature=signature(BODY),
            svix_timestamp=int(NOON.timestamp()),
            received_at=NOON + timedelta(seconds=412),
        )
    page = open_desk(database, webhook_secrets=(SECRET,)).signed_in().client.get(f"/deliveries/{late}").text
    assert "412 s too old at the time" in page
    assert_holds_no_secret(page)


def test_a_dashboard_without_a_secret_says_that_it_cannot_tell(desk: Desk) -> None:
    assert "This dashboard has no VOVE_WEBHOOK_SECRET" in refused(desk, BODY)


def test_of_an_accepted_delivery_its_secret_is_told(open_desk: OpenDesk, database: Database) -> None:
    with writing(database) as connection:
        delivery = add_delivery(
            connection, event_id=add_event(connection, "A"), verified_by=fingerprint(SECRET)
        )
    page = (
        open_desk(database, webhook_secrets=(SECRET,)).signed_in().client.get(f"/deliveries/{delivery}").text
    )
    assert "verified it then, and is one of today" in page


def test_the_commands_that_send_it_again_hold_its_bytes(desk: Desk) -> None:
    page = refused(desk, BODY)
    assert "printf %s '" + BODY.decode() in page
    assert f"id={ID}" in page


def test_the_filters_stand_in_the_address_and_in_every_link(desk: Desk) -> None:
    with writing(desk.database) as connection:
        for number in range(60):
            at = NOON + number * MINUTE
            add_delivery(connection, Verdict.REFUSED, cause="no_match", received_at=at)
        other = add_delivery(connection, Verdict.REFUSED, cause="too_old", received_at=NOON)
    desk.signed_in()
    query = "cause=no_match&from=2026-03-05T12:02&to=2026-03-05T13:00"
    page = desk.client.get(f"/deliveries?{query}")
    assert page.text.count('id="delivery_') - page.text.count('id="delivery_filters') == 50
    assert f'id="delivery_{other}"' not in page.text
    assert "not signed with one of our secrets" in page.text
    assert 'value="2026-03-05T12:02"' in page.text
    older = unescape(re.search(r'rel="next" href="([^"]+)"', page.text)[1])  # type: ignore[index]
    rest = desk.client.get(older)
    assert rest.text.count('<tr id="delivery_') == 8
    part = desk.client.get(f"/deliveries?{query}", headers=PARTIAL)
    assert part.text.lstrip().startswith('<section id="deliveries"')


def test_one_message_is_found_by_its_whole_id(desk: Desk) -> None:
    with writing(desk.database) as connection:
        mine = add_delivery(connection, Verdict.REFUSED, cause="no_match", svix_id=ID)
        add_delivery(connection, Verdict.REFUSED, cause="no_match", svix_id="msg_other")
    page = desk.signed_in().client.get(f"/deliveries?id=%20{ID}").text
    assert re.findall(r'<tr id="delivery_(\d+)"', page) == [str(mine)]


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "to=0001-01-01",
        "from=9999-12-31T23:59",
        "cause=nothing",
        "verdict=x",
        "id=%00",
        "id=" + "x" * 5000,
    ],
)
def test_what_makes_no_sense_is_not_asked_for(desk: Desk, query: str) -> None:
    assert desk.signed_in().client.get(f"/deliveries?{query}").status_code == 200


def test_a_day_without_a_time_is_the_whole_day(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_delivery(connection, received_at=NOON + timedelta(hours=11, minutes=59))
    page = desk.signed_in().client.get("/deliveries?from=2026-03-05&to=2026-03-05").text
    assert '<tr id="delivery_' in page
    assert 'value="2026-03-05T23:59"' in page
    assert "None of these." in desk.client.get("/deliveries?from=2026-03-06").text
