"""What stands in a timeline, by kinds that a reader may hide. In the address: `show=changes,notes`."""

from collections.abc import Iterable
from enum import StrEnum

from receiver.activity import Kind


class EntryKind(StrEnum):
    CHANGES = "changes"
    CHECKS = "checks"
    TASKS = "tasks"
    NOTES = "notes"
    DOINGS = "doings"


NAMES = {
    EntryKind.CHANGES: "Status changes",
    EntryKind.CHECKS: "Other checks",
    EntryKind.TASKS: "Tasks",
    EntryKind.NOTES: "Notes and assignments",
    EntryKind.DOINGS: "What else people did",
}
ALL = frozenset(EntryKind)
NOTES = frozenset({Kind.NOTED, Kind.ASSIGNED})


def kinds_from(given: Iterable[str]) -> frozenset[EntryKind]:
    """From an address: a tick box sends each by itself, a link all in one. Nothing that is known: all."""
    chosen = frozenset(EntryKind(kind) for kind in ",".join(given).split(",") if kind in ALL)
    return chosen or ALL


def kinds_in_address(kinds: frozenset[EntryKind]) -> str | None:
    return None if kinds == ALL else ",".join(kind for kind in EntryKind if kind in kinds)


def people_did(kinds: frozenset[EntryKind]) -> frozenset[Kind]:
    """Which activities these are."""
    notes = NOTES if EntryKind.NOTES in kinds else frozenset()
    return notes | (frozenset(Kind) - NOTES if EntryKind.DOINGS in kinds else frozenset())
