"""What is written for one group of deliveries, inside one transaction.

In the order of svix-id the events, of their key the cases and the counts: PostgreSQL receivers that write
in the order of arrival deadlock. An event that is known is changed only by who has locked its case.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from receiver.cases import Move, message_time
from receiver.event import Event, Family, ref_key
from receiver.ledger import case_rows, rooms
from receiver.ledger.delivery import Delivery
from receiver.ledger.sql import execute_many, insert, select_in
from receiver.models import Verdict, from_microseconds, hour_of, to_microseconds

MAX_LOGGED_DUPLICATES = 100  # of one event; from then on only its count goes up
MAX_LOGGED_REFUSED = 20  # of one group; a flood beyond it is only counted

EVENT_COLUMNS = (
    "svix_id, family, ref_id, ref_key, status, previous_status, reason, message_at, first_attempt_at, "
    "received_at, late, verified_by, body, body_sha256, delivery_count"
)
DELIVERY_COLUMNS = (
    "received_at, verdict, cause, http_status, took, svix_id, svix_timestamp, signature, verified_by, "
    "event_id, body, body_size, body_sha256, content_type, user_agent, header_names, client, shape"
)


@dataclass(slots=True)
class _Known:
    """An event that is in the ledger already, and what this group adds to it."""

    id: int
    ref_key: bytes
    body_sha256: bytes
    delivery_count: int
    first_attempt_at: int  # microseconds
    repeats: int = 0
    earlier_attempt: int | None = None


@dataclass(slots=True)
class _Logged:
    """A delivery as it will stand in its row."""

    delivery: Delivery
    verdict: Verdict
    event_id: int | None = None
    message_at: datetime | None = None  # of what may be a new event: worked out once, for that takes its time
    ref_key: bytes = b""  # likewise
    kept: bool = True


@dataclass(slots=True)
class Group:
    connection: Connection
    deliveries: Sequence[Delivery]
    unlogged: int = 0
    _logged: list[_Logged] = field(default_factory=list)

    def write(self) -> list[Verdict]:
        """Write all of it and return the verdicts, in the order of the deliveries."""
        self._logged = [_Logged(delivery, delivery.verdict_without_event()) for delivery in self.deliveries]
        verified = [logged for logged in self._logged if logged.delivery.verified]
        verified.sort(key=_svix_id)
        known = self._known_events(verified)
        accepted = self._insert_events(verified, known)
        self._judge(verified, known, accepted)
        moves = _new_moves(accepted.values())
        repeated = [event for event in known.values() if event.repeats]
        touched = {move.ref_key for move in moves} | {event.ref_key for event in repeated}
        case_rows.lock(self.connection, touched)
        self._count_repeats(repeated)
        stale = case_rows.redate(self.connection, _earlier_attempts(known))
        case_rows.apply(self.connection, moves, stale)
        self._thin_out_refused()
        self._insert_deliveries()
        self._count()
        return [logged.verdict for logged in self._logged]

    def _known_events(self, verified: Sequence[_Logged]) -> dict[str, _Known]:
        rows = select_in(
            self.connection,
            "SELECT svix_id, id, ref_key, body_sha256, delivery_count, first_attempt_at FROM events "
            "WHERE svix_id",
            list(dict.fromkeys(map(_svix_id, verified))),
        )
        return {
            svix_id: _Known(event_id, bytes(key), bytes(digest), count, at)
            for svix_id, event_id, key, digest, count, at in rows
        }

    def _insert_events(self, verified: Sequence[_Logged], known: dict[str, _Known]) -> dict[str, _Logged]:
        """The deliveries that brought an event of their own, by svix-id; a race lost to another receiver
        adds to `known`."""
        first: dict[str, _Logged] = {}
        for logged in verified:
            svix_id = _svix_id(logged)
            if isinstance(logged.delivery.found, Event) and svix_id not in known and svix_id not in first:
                logged.message_at = message_time(svix_id, from_microseconds(_attempt_at(logged)))
                logged.ref_key = ref_key(logged.delivery.found.ref_id)
                first[svix_id] = logged
        inserted = insert(
            self.connection,
            f"events ({EVENT_COLUMNS})",
            EVENT_COLUMNS.count(",") + 1,
            map(_event_row, first.values()),
            "ON CONFLICT (svix_id) DO NOTHING RETURNING svix_id, id",
        )
        for svix_id, event_id in inserted:
            first[svix_id].event_id = event_id
        lost = [logged for logged in first.values() if logged.event_id is None]
        known.update(self._known_events(lost))
        return {svix_id: logged for svix_id, logged in first.items() if logged.event_id is not None}

    def _judge(
        self, verified: Sequence[_Logged], known: dict[str, _Known], accepted: dict[str, _Logged]
    ) -> None:
        for svix_id, logged in accepted.items():
            logged.verdict = Verdict.ACCEPTED
            known[svix_id] = _as_known(logged)
        for logged in verified:
            event = known.get(_svix_id(logged))
            if event is None or logged.verdict is Verdict.ACCEPTED:
                continue
            logged.event_id = event.id
            same = logged.delivery.body_sha256 == event.body_sha256
            logged.verdict = Verdict.DUPLICATE if same else Verdict.CONFLICT
            event.repeats += 1
            logged.kept = event.delivery_count + event.repeats <= MAX_LOGGED_DUPLICATES
            if same and _attempt_at(logged) < (event.earlier_attempt or event.first_attempt_at):
                event.earlier_attempt = _attempt_at(logged)

    def _count_repeats(self, repeated: Iterable[_Known]) -> None:
        execute_many(
            self.connection,
            "UPDATE events SET delivery_count = delivery_count + ? WHERE id = ?",
            [(event.repeats, event.id) for event in sorted(repeated, key=lambda event: event.id)],
        )

    def _thin_out_refused(self) -> None:
        refused = [logged for logged in self._logged if logged.verdict is Verdict.REFUSED]
        for logged in refused[MAX_LOGGED_REFUSED:]:
            logged.kept = False

    def _insert_deliveries(self) -> None:
        kept = [logged for logged in self._logged if logged.kept]
        execute_many(
            self.connection,
            f"INSERT INTO deliveries ({DELIVERY_COLUMNS}) VALUES ({', '.join('?' * 18)})",
            map(_delivery_row, kept),
        )
        rooms.keep_within_bounds(self.connection, [logged.delivery for logged in kept])

    def _count(self) -> None:
        counts = Counter(
            (hour_of(logged.delivery.received_at), str(logged.verdict)) for logged in self._logged
        )
        if self.unlogged:
            counts[hour_of(datetime.now(UTC)), str(Verdict.REFUSED)] += self.unlogged
        execute_many(
            self.connection,
            "INSERT INTO delivery_counts (hour, verdict, n) VALUES (?, ?, ?) "
            "ON CONFLICT (hour, verdict) DO UPDATE SET n = delivery_counts.n + excluded.n",
            [(hour, verdict, n) for (hour, verdict), n in sorted(counts.items())],
        )
        self.connection.exec_driver_sql("UPDATE revision SET n = n + 1")


def _svix_id(logged: _Logged) -> str:
    assert logged.delivery.verified is not None
    return logged.delivery.verified.svix_id


def _attempt_at(logged: _Logged) -> int:
    assert logged.delivery.verified is not None
    return logged.delivery.verified.timestamp * 1_000_000


def _as_known(logged: _Logged) -> _Known:
    assert logged.event_id is not None
    return _Known(logged.event_id, logged.ref_key, logged.delivery.body_sha256, 1, _attempt_at(logged))


def _event_row(logged: _Logged) -> tuple[Any, ...]:
    delivery, event, verified = logged.delivery, logged.delivery.found, logged.delivery.verified
    assert isinstance(event, Event)
    assert verified is not None
    return (
        verified.svix_id,
        str(event.family),
        event.ref_id,
        logged.ref_key,
        event.status,
        event.previous_status,
        event.reason,
        None if logged.message_at is None else to_microseconds(logged.message_at),
        _attempt_at(logged),
        to_microseconds(delivery.received_at),
        False,
        verified.fingerprint,
        delivery.body,
        delivery.body_sha256,
        1,
    )


def _delivery_row(logged: _Logged) -> tuple[Any, ...]:
    delivery, verified = logged.delivery, logged.delivery.verified
    refused = delivery.refused
    return (
        to_microseconds(delivery.received_at),
        str(logged.verdict),
        None if logged.event_id is not None or delivery.cause is None else str(delivery.cause),
        delivery.http_status,
        delivery.took,
        verified.svix_id if verified else refused and refused.svix_id,
        verified.timestamp if verified else refused and refused.timestamp,
        refused and refused.signature,
        verified.fingerprint if verified else None,
        logged.event_id,
        None if logged.verdict in {Verdict.ACCEPTED, Verdict.DUPLICATE} else delivery.body,
        delivery.body_size,
        delivery.body_sha256,
        delivery.content_type,
        delivery.user_agent,
        delivery.header_names,
        delivery.client,
        rooms.shape(delivery),
    )


def _earlier_attempts(known: dict[str, _Known]) -> dict[str, int]:
    return {
        svix_id: event.earlier_attempt
        for svix_id, event in known.items()
        if event.earlier_attempt is not None
    }


def _new_moves(accepted: Iterable[_Logged]) -> list[case_rows.NewMove]:
    return [move for logged in accepted if (move := _new_move(logged)) is not None]


def _new_move(logged: _Logged) -> case_rows.NewMove | None:
    event, svix_id = logged.delivery.found, _svix_id(logged)
    assert isinstance(event, Event)
    assert logged.event_id is not None
    if event.family is not Family.KYB or event.previous_status is None:
        return None
    move = Move(
        svix_id=svix_id,
        status=event.status,
        previous_status=event.previous_status,
        reason=event.reason,
        first_attempt_at=from_microseconds(_attempt_at(logged)),
        message_at=logged.message_at,
    )
    return case_rows.NewMove(logged.event_id, event.ref_id, logged.ref_key, logged.delivery.received_at, move)
