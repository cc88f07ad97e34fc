"""One case's facts, merged and sorted in one place.

kinds    of entries, which a reader may hide
entries  status changes and results of other checks, with what hangs under them; what people did
order    how they stand: the rule, and how a page of it is cut
reading  one page, from the database
looking  which page, and of what, as an address says

Status changes stand in the order of their places, which the ledger keeps. Everything else has no place and
stands by its time: before the first status change by which the case had come further than that. Where one is
dated, an undated status change moves nothing: its first attempt may have come long after it was made. At the
same moment the status change comes first, then another check's result, then what people did, then the one
with the smaller id. Deliveries, tasks and tries hang under their event, in the order of their ids.
"""

from dashboard.timeline.entries import Doing, Entry, Task
from dashboard.timeline.kinds import NAMES, EntryKind, kinds_from, kinds_in_address
from dashboard.timeline.looking import Looking
from dashboard.timeline.order import Border, merged
from dashboard.timeline.reading import PAGE, Day, Timeline, read_timeline

__all__ = [
    "NAMES",
    "PAGE",
    "Border",
    "Day",
    "Doing",
    "Entry",
    "EntryKind",
    "Looking",
    "Task",
    "Timeline",
    "kinds_from",
    "kinds_in_address",
    "merged",
    "read_timeline",
]
