"""Which roles are there, and who may look."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from receiver.models.base import Key, metadata
from receiver.models.times import UtcTime

workers = Table(
    "workers",
    metadata,
    Column("id", Key, primary_key=True),
    Column("role", Text, nullable=False),  # receiver, worker or dashboard
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("error", Text),  # why it can't do its work, in words
    UniqueConstraint("role", "host", "pid"),
)
# When a role was last seen on any host, also after its rows in `workers` are gone: see presence.py.
role_signs = Table(
    "role_signs",
    metadata,
    Column("role", Text, primary_key=True),
    Column("first_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
)
# When nobody was there in a role. One that still lasts is not written yet: it is the age of the last sign.
outages = Table(
    "outages",
    metadata,
    Column("id", Key, primary_key=True),
    Column("role", Text, nullable=False),
    Column("began_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime, nullable=False),
)
Index("outages_by_end", outages.c.ended_at, outages.c.id)

users = Table(
    "users",
    metadata,
    Column("id", Key, primary_key=True),
    Column("email", Text, nullable=False, unique=True),  # lower case
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),  # empty until one is chosen: no password has this hash
    Column("created_at", UtcTime, nullable=False),
    Column("disabled_at", UtcTime),
    Column("seen_at", UtcTime),  # sessions end, and are gone
)
sessions = Table(
    "sessions",
    metadata,
    Column("id", Key, primary_key=True),
    Column("token_sha256", LargeBinary, nullable=False, unique=True),
    Column("user_id", Key, ForeignKey("users.id"), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("used_at", UtcTime, nullable=False),
)
Index("sessions_by_user", sessions.c.user_id)
# With whose token a person may choose a password once; the newest of each person.
password_links = Table(
    "password_links",
    metadata,
    Column("user_id", Key, ForeignKey("users.id"), primary_key=True, autoincrement=False),
    Column("token_sha256", LargeBinary, nullable=False, unique=True),
    Column("made_at", UtcTime, nullable=False),
    Column("made_by", Text, nullable=False),
)
