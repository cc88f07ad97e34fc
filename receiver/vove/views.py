"""What VOVE said, kept beside what we know, and where the two differ.

Every function takes a connection inside a transaction. Whether we differ is worked out when it is asked, for
ours may have moved on since; `differs` only keeps the list of those that did when VOVE was asked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    false,
    func,
    or_,
    select,
    text,
    update,
)

from receiver.cases import NOT_STARTED
from receiver.database import raise_revision, upsert
from receiver.event import ref_key
from receiver.models import businesses, cases, record, vove_views
from receiver.vove.answers import VoveCase
from receiver.vove.listing import Found

# As text: a partial index serves only a condition that it can read.
DIFFERED = text("vove_views.differs")


@dataclass(frozen=True)
class Comparison:
    """VOVE's view of a case beside ours. `status` is None where VOVE has no case with this reference."""

    id: int
    ref_id: str
    status: str | None
    name: str | None
    vove_id: str | None
    vove_changed_at: datetime | None
    checked_at: datetime
    checked_by: str
    our_status: str | None  # None: we know no case
    our_name: str | None
    last_event_id: int | None  # which gives our status
    moved_since: bool  # ours has moved after VOVE was asked
    differs_in_status: bool
    differs_in_name: bool

    @property
    def differs(self) -> bool:
        return self.differs_in_status or self.differs_in_name

    @property
    def can_be_adopted(self) -> bool:
        """There is nothing to take over of a case that VOVE does not have."""
        return self.status is not None and (self.differs or self.brings_a_name)

    @property
    def brings_a_name(self) -> bool:
        """The directory has none; that is no difference, but may be taken over."""
        return self.name is not None and self.our_name is None


def keep(
    connection: Connection, found: Sequence[VoveCase], asked_at: datetime, by: str, since: datetime
) -> None:
    """Keep what VOVE said when it was asked at `asked_at`, in a pass that began at `since`.

    An older word never takes the place of a newer one; of cases with one reference, in one pass, that stays
    which VOVE changed last.
    """
    rows = [_row(each, asked_at, by) for each in found]
    _upsert(connection, sorted(rows, key=lambda row: row["ref_key"]), since)


def keep_one(connection: Connection, ref_id: str, found: Found, by: str) -> Comparison:
    """Keep what VOVE's search said of one case, and compare; so that open pages look again."""
    if found.case is not None:
        row = _row(found.case, found.asked_at, by)
    else:
        nothing = {"status": None, "name": None, "vove_id": None, "vove_changed_at": None}
        row = {"ref_id": ref_id, "ref_key": ref_key(ref_id), "checked_at": found.asked_at, "checked_by": by}
        row |= nothing
    _upsert(connection, [row], found.asked_at)
    raise_revision(connection)
    compared = compare(connection, ref_id)
    assert compared is not None
    return compared


def _row(found: VoveCase, asked_at: datetime, by: str) -> dict[str, Any]:
    return {
        "ref_id": found.ref_id,
        "ref_key": ref_key(found.ref_id),
        "status": found.status,
        "name": found.name,
        "vove_id": found.vove_id,
        "vove_changed_at": found.changed_at,
        "checked_at": asked_at,
        "checked_by": by,
    }


def _upsert(connection: Connection, rows: Sequence[dict[str, Any]], since: datetime) -> None:
    if not rows:
        return
    kept, new = vove_views.c, upsert(connection, vove_views)
    changed_later = or_(kept.vove_changed_at.is_(None), new.excluded.vove_changed_at >= kept.vove_changed_at)
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["ref_key"],
            set_={name: new.excluded[name] for name in rows[0] if name not in {"ref_id", "ref_key"}},
            where=and_(
                new.excluded.checked_at >= kept.checked_at, or_(kept.checked_at < since, changed_later)
            ),
        ),
        [row | {"differs": False} for row in rows],
    )
    note_differences(connection, [row["ref_key"] for row in rows])


def note_differences(connection: Connection, keys: Iterable[bytes]) -> None:
    """Bring `differs` up to date."""
    these = vove_views.c.ref_key.in_(list(keys))
    now = connection.execute(_compared().where(these).order_by(vove_views.c.id)).all()
    for differs in (True, False):
        ids = [row.id for row in now if (row.differs_in_status or row.differs_in_name) is differs]
        changed = vove_views.c.id.in_(ids), vove_views.c.differs.is_(not differs)
        connection.execute(update(vove_views).where(*changed).values(differs=differs))


def lock(connection: Connection, ref_id: str) -> None:
    """On SQLite the whole file is ours already."""
    view = select(vove_views.c.id).where(vove_views.c.ref_key == ref_key(ref_id))
    connection.execute(view.with_for_update())


def compare(connection: Connection, ref_id: str) -> Comparison | None:
    """None where VOVE was never asked."""
    row = connection.execute(_compared().where(vove_views.c.ref_key == ref_key(ref_id))).one_or_none()
    return record(Comparison, row) if row else None


def differing() -> Select[Any]:
    """Rows of Comparison: where we differed when VOVE was asked, and still do."""
    return _compared().where(DIFFERED, or_(_differs_in_status(), _differs_in_name()))


def find_differing(connection: Connection, after: int = 0, limit: int = 500) -> list[Comparison]:
    page = differing().where(vove_views.c.id > after).order_by(vove_views.c.id).limit(limit)
    return [record(Comparison, row) for row in connection.execute(page)]


def _compared() -> Select[Any]:
    return (
        select(
            vove_views,
            cases.c.status.label("our_status"),
            businesses.c.name.label("our_name"),
            cases.c.last_event_id,
            func.coalesce(_moved_since(), false(), type_=Boolean()).label("moved_since"),
            _differs_in_status().label("differs_in_status"),
            _differs_in_name().label("differs_in_name"),
        )
        .outerjoin(cases, cases.c.ref_key == vove_views.c.ref_key)
        .outerjoin(businesses, businesses.c.ref_key == vove_views.c.ref_key)
    )


def _moved_since() -> ColumnElement[bool]:
    """Also where VOVE only repeated itself: what it says in a message is newer than what it was asked for."""
    asked = vove_views.c.checked_at
    return or_(cases.c.status_since > asked, func.coalesce(cases.c.newest_message_at > asked, false()))


def _differs_in_status() -> ColumnElement[bool]:
    """VOVE sends no webhook for NOT_STARTED, so a case that has not begun need not be known to us."""
    ours, theirs = cases.c.status, vove_views.c.status
    return case(
        (cases.c.id.is_(None), func.coalesce(theirs != NOT_STARTED, false())),
        (_moved_since(), false()),
        else_=func.coalesce(theirs != ours, True),
    )


def _differs_in_name() -> ColumnElement[bool]:
    return func.coalesce(vove_views.c.name != businesses.c.name, false(), type_=Boolean())


def find_new_names(connection: Connection, after: int = 0, limit: int = 500) -> list[Comparison]:
    """VOVE's names of businesses for which the directory has none."""
    new = vove_views.c.name.is_not(None), businesses.c.name.is_(None), vove_views.c.id > after
    page = _compared().where(*new).order_by(vove_views.c.id).limit(limit)
    return [record(Comparison, row) for row in connection.execute(page)]
