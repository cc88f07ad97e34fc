"""A run's life in SQL. Every function takes a connection inside a transaction.

dispatching   new events to queued runs, exactly once
claims        a run becomes one worker's, by lease and fence
endings       an attempt is appended and its run moves on; what a dead worker left is rescued
reprocessing  one more attempt, on a person's word

A run's state is a cache of its attempts, which are only ever appended; both are written together.
"""

from receiver.runs.claims import LEASE_MARGIN, Claimed, claim, idempotency_key, renew
from receiver.runs.dispatching import dispatch, register
from receiver.runs.endings import JITTER, MAX_LOST_RETRIES, finish, lost, rescue
from receiver.runs.reprocessing import NotReprocessed, Reprocessed, reprocess

__all__ = [
    "JITTER",
    "LEASE_MARGIN",
    "MAX_LOST_RETRIES",
    "Claimed",
    "NotReprocessed",
    "Reprocessed",
    "claim",
    "dispatch",
    "finish",
    "idempotency_key",
    "lost",
    "register",
    "renew",
    "reprocess",
    "rescue",
]
