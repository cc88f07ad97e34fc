"""A run's life in SQL. Every function takes a connection inside a transaction.

dispatching   new events to queued runs, exactly once
brake         a person stops one handler, or all
claims        a run becomes one worker's, by lease and fence
turns         … in its case's order, one at a time
pace          … and not too many of one handler in a second
repeats       whether VOVE said the same before
endings       an attempt is appended and its run moves on; what a dead worker left is rescued
reprocessing  one more attempt, on a person's word

A run's state is a cache of its attempts, which are only ever appended; both are written together.
"""

from receiver.runs.brake import ALL, MAX_REASON, Pause, ReasonError, find_pauses, pause, resume
from receiver.runs.claims import LEASE_MARGIN, Claimed, call_of, claim, idempotency_key, renew
from receiver.runs.dispatching import dispatch, register
from receiver.runs.endings import JITTER, MAX_LOST_RETRIES, finish, lost, rescue, retire, retry_at
from receiver.runs.reprocessing import NotReprocessed, Reprocessed, reprocess

__all__ = [
    "ALL",
    "JITTER",
    "LEASE_MARGIN",
    "MAX_LOST_RETRIES",
    "MAX_REASON",
    "Claimed",
    "NotReprocessed",
    "Pause",
    "ReasonError",
    "Reprocessed",
    "call_of",
    "claim",
    "dispatch",
    "find_pauses",
    "finish",
    "idempotency_key",
    "lost",
    "pause",
    "register",
    "renew",
    "reprocess",
    "rescue",
    "resume",
    "retire",
    "retry_at",
]
