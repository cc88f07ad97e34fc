"""What strangers can cause is bounded: two rooms for refused deliveries, and what is kept when one is full.

A full room keeps its newest rows, and in half of its room an hourly sample of the older ones, so that a flood
does not wash out what came on Friday.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, zip_longest

from sqlalchemy import BigInteger, Connection, func, select, type_coerce, update

from receiver.ledger.delivery import Delivery
from receiver.ledger.sql import execute_many
from receiver.models import Shape, deliveries, refused_rooms
from receiver.verification import Refusal

NOT_READ = {Refusal.TOO_LARGE, Refusal.BODY_TIMEOUT}
MICROSECONDS_AN_HOUR = 3_600_000_000
SLACK = 10  # per cent of a room that trimming leaves free, so that it is not needed again at once


@dataclass(frozen=True, slots=True)
class Room:
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Kept:
    id: int
    hour: int
    size: int


ROOMS = {
    Shape.SVIX: Room(10_000, 100 * 1024 * 1024),
    Shape.STRAY: Room(1_000, 10 * 1024 * 1024),
}


def shape(delivery: Delivery) -> Shape | None:
    refused = delivery.refused
    if refused is None:
        return None
    return Shape.SVIX if refused.shaped and refused.cause not in NOT_READ else Shape.STRAY


def keep_within_bounds(connection: Connection, logged: Sequence[Delivery]) -> None:
    """Count what these deliveries add to their rooms, and trim a room that is over its bounds."""
    rows = Counter(kept_in for delivery in logged if (kept_in := shape(delivery)))
    if not rows:
        return
    sizes: Counter[Shape] = Counter()
    for delivery in logged:
        if kept_in := shape(delivery):
            sizes[kept_in] += len(delivery.body)
    execute_many(
        connection,
        "INSERT INTO refused_rooms (shape, rows, bytes) VALUES (?, ?, ?) ON CONFLICT (shape) DO UPDATE "
        "SET rows = refused_rooms.rows + excluded.rows, bytes = refused_rooms.bytes + excluded.bytes",
        [(str(kept_in), rows[kept_in], sizes[kept_in]) for kept_in in sorted(rows)],
    )
    for kept_in in sorted(rows):
        _trim_if_full(connection, kept_in)


def _trim_if_full(connection: Connection, kept_in: Shape) -> None:
    room = ROOMS[kept_in]
    condition = deliveries.c.shape == str(kept_in)
    used = connection.execute(select(refused_rooms).where(refused_rooms.c.shape == str(kept_in))).one()
    if used.rows <= room.rows and used.bytes <= room.bytes:
        return
    hour = type_coerce(deliveries.c.received_at, BigInteger).op("/")(MICROSECONDS_AN_HOUR)
    size = func.coalesce(func.length(deliveries.c.body), 0)
    found = connection.execute(
        select(deliveries.c.id, hour, size).where(condition).order_by(deliveries.c.id.desc())
    )
    rows = [Kept(*row) for row in found]
    staying = sample(rows, room)
    execute_many(
        connection, "DELETE FROM deliveries WHERE id = ?", [(row.id,) for row in rows if row not in staying]
    )
    connection.execute(
        update(refused_rooms)
        .where(refused_rooms.c.shape == str(kept_in))
        .values(rows=len(staying), bytes=sum(row.size for row in staying))
    )


def sample(rows: Sequence[Kept], room: Room) -> set[Kept]:
    """Of a room's rows, newest first, those that stay: the newest in one half of the room, in the other
    as many of each older hour as fit, one an hour in turn."""
    half = Room(room.rows * (100 - SLACK) // 200, room.bytes * (100 - SLACK) // 200)
    newest = _fitting(rows, half)
    by_hour: dict[int, list[Kept]] = {}
    for row in rows[len(newest) :]:
        by_hour.setdefault(row.hour, []).append(row)
    in_turn = [row for turn in zip_longest(*by_hour.values()) for row in turn if row is not None]
    return {*newest, *_fitting(in_turn, half)}


def _fitting(rows: Sequence[Kept], room: Room) -> list[Kept]:
    """As many from the front as the room holds."""
    sizes = accumulate(row.size for row in rows)
    return [row for row, size in zip(rows[: room.rows], sizes, strict=False) if size <= room.bytes]
