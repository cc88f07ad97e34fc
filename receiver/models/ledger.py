"""What the sender delivered."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from receiver.models.base import Key, metadata, where
from receiver.models.times import UtcTime

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Key, primary_key=True),
    Column("received_at", UtcTime, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("cause", Text),
    Column("http_status", Integer, nullable=False),
    Column("took", BigInteger, nullable=False),  # microseconds, from the headers to the ledger's write
    Column("svix_id", Text),
    Column("svix_timestamp", BigInteger),  # seconds, the time of this attempt as the sender says
    Column("signature", Text),  # of refused deliveries only, to verify again; never shown in clear
    Column("verified_by", Text),  # fingerprint of the secret
    Column("event_id", Key, ForeignKey("events.id")),
    Column("body", LargeBinary),  # only where no event keeps the same bytes
    Column("body_size", BigInteger, nullable=False),
    Column("body_sha256", LargeBinary),
    Column("content_type", Text),
    Column("user_agent", Text),
    Column("header_names", Text, nullable=False),  # in the order they came, separated by spaces
    Column("client", Text),
    Column("shape", Text),  # of refused deliveries: the room that bounds them
    sqlite_autoincrement=True,  # a trimmed id never comes back as another delivery
)
Index("deliveries_by_verdict", deliveries.c.verdict, deliveries.c.id)
Index("deliveries_by_event", deliveries.c.event_id, deliveries.c.id)
Index(
    "deliveries_by_shape",
    deliveries.c.shape,
    deliveries.c.id,
    **where("shape IS NOT NULL"),
)
# Read by the list of deliveries: by cause, and by an id that became no event (others have their event).
Index(
    "deliveries_by_cause",
    deliveries.c.cause,
    deliveries.c.id,
    **where("cause IS NOT NULL"),
)
Index(
    "deliveries_by_svix_id",
    deliveries.c.svix_id,
    deliveries.c.id,
    **where("event_id IS NULL AND svix_id IS NOT NULL"),
)

events = Table(
    "events",
    metadata,
    Column("id", Key, primary_key=True),
    Column("svix_id", Text, nullable=False, unique=True),
    Column("family", Text, nullable=False),
    Column("ref_id", Text, nullable=False),
    Column("ref_key", LargeBinary, nullable=False),  # see event.ref_key
    Column("status", Text, nullable=False),
    Column("previous_status", Text),
    Column("reason", Text),
    Column("message_at", UtcTime),  # when the sender made the message; none: the id does not tell
    Column("first_attempt_at", UtcTime, nullable=False),  # the earliest signed timestamp we saw
    Column("received_at", UtcTime, nullable=False),
    Column("place", Integer),  # in its case's order, from 0; none: moves no case
    Column("link", Text),  # to the event before it, see cases.Link
    Column("late", Boolean, nullable=False),  # on arrival, the case already knew something newer
    Column("dispatched_at", UtcTime),
    Column("verified_by", Text),
    Column("adopted_by", Text),  # who took it over from VOVE's API; none: it came by webhook
    Column("body", LargeBinary, nullable=False),
    Column("body_sha256", LargeBinary, nullable=False),
    Column("delivery_count", Integer, nullable=False),
    sqlite_autoincrement=True,
)
Index("events_by_case", events.c.ref_key, events.c.place, events.c.id)
# Read by runs.dispatch, all day long, and nearly always empty.
Index(
    "events_undispatched",
    events.c.id,
    **where("dispatched_at IS NULL"),
)

# Read by the page of rejections: how many for which reason, by day.
Index(
    "events_rejecting",
    text("COALESCE(message_at, first_attempt_at)"),
    text("substr(reason, 1, 200)"),
    events.c.ref_key,
    **where("status = 'REJECTED' AND place IS NOT NULL AND link <> 'repeat'"),
)

# Counts that pages show are kept by the ledger in its own transaction, never counted on a page.
delivery_counts = Table(
    "delivery_counts",
    metadata,
    Column("hour", BigInteger, primary_key=True, autoincrement=False),  # see hour_of
    Column("verdict", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
)
case_counts = Table(
    "case_counts",
    metadata,
    Column("status", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
)
refused_rooms = Table(
    "refused_rooms",
    metadata,
    Column("shape", Text, primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)
# One row: raised with whatever a page could show, so that open pages know when to look again.
revision = Table(
    "revision",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
)
