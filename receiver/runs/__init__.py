"""A run's life in SQL. Every function takes a connection inside a transaction.

dispatching   new events to queued runs, exactly once
brake         a person stops one handler, or all
claims        a run becomes one worker's, by lease and fence
turns         … in its case's order, one at a time
pace          … and not too many of one handler in a second
repeats       whether VOVE said the same before
endings       an attempt is appended and its run moves on; what a dead worker left is rescued
effects       what an attempt brought beside its outcome
failures      what they fail with, so that a hundred of the same are one
reprocessing  one more attempt, on a person's word
closing       … or none
selecting     which runs a list shows, and a batch takes
judging       which of them can be taken as they stand
batches       many on one word: counted, previewed, confirmed with the number
carrying_out  … and carried out by the worker

A run's state is a cache of its attempts, which are only ever appended; both are written together.
"""

from receiver.runs.batches import (
    MAX_REASON as MAX_BATCH_REASON,
)
from receiver.runs.batches import (
    MOST,
    BatchError,
    Confirmation,
    Draft,
    Part,
    confirm,
    number_of,
    parts_of,
    stop,
)
from receiver.runs.brake import ALL, MAX_REASON, Pause, ReasonError, find_pauses, pause, resume
from receiver.runs.carrying_out import advance
from receiver.runs.claims import LEASE_MARGIN, Claimed, call_of, claim, idempotency_key, renew
from receiver.runs.closing import (
    CAN_BE_CLOSED,
    SETTLING,
    Closed,
    CloseError,
    CloseReason,
    Closing,
    NotClosed,
    close,
)
from receiver.runs.dispatching import dispatch, register
from receiver.runs.endings import JITTER, MAX_LOST_RETRIES, finish, lost, rescue, retire, retry_at
from receiver.runs.judging import Action, Result
from receiver.runs.reprocessing import NotReprocessed, Reprocessed, reprocess
from receiver.runs.selecting import Selection

__all__ = [
    "ALL",
    "CAN_BE_CLOSED",
    "JITTER",
    "LEASE_MARGIN",
    "MAX_BATCH_REASON",
    "MAX_LOST_RETRIES",
    "MAX_REASON",
    "MOST",
    "SETTLING",
    "Action",
    "BatchError",
    "Claimed",
    "CloseError",
    "CloseReason",
    "Closed",
    "Closing",
    "Confirmation",
    "Draft",
    "NotClosed",
    "NotReprocessed",
    "Part",
    "Pause",
    "ReasonError",
    "Reprocessed",
    "Result",
    "Selection",
    "advance",
    "call_of",
    "claim",
    "close",
    "confirm",
    "dispatch",
    "find_pauses",
    "finish",
    "idempotency_key",
    "lost",
    "number_of",
    "parts_of",
    "pause",
    "register",
    "renew",
    "reprocess",
    "rescue",
    "resume",
    "retire",
    "retry_at",
    "stop",
]
