"""The few words that some columns hold."""

from enum import StrEnum


class Verdict(StrEnum):
    """What became of a delivery."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


class Shape(StrEnum):
    """Which of two bounded rooms keeps a refused delivery: a flood of strays washes out no look-alike."""

    SVIX = "svix"
    STRAY = "stray"


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CLOSED = "closed"


class StartedBy(StrEnum):
    EVENT = "event"
    RETRY = "retry"
    PERSON = "person"


class Outcome(StrEnum):
    """How an attempt ended. `lost`: its worker died, nobody knows; `in doubt`: the handler does not know."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    CRASHED = "crashed"
    LOST = "lost"
    IN_DOUBT = "in doubt"
