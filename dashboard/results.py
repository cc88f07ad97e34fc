"""What became of the runs of a batch, and why runs are closed, as people read it."""

from dashboard.words import Word, run_state
from receiver.models import RunState
from receiver.runs import CloseReason, Result

# Why a run is skipped: in the preview, and where its turn came.
SKIPPED = {
    Result.DONE: Word("Done already", "completed", "completed", "It has succeeded."),
    Result.CLOSED: Word("Closed", "closed", "quiet", "A person closed it without retrying."),
    Result.UNDER_WAY: Word("Under way", "running", "progress", "It waits for its turn, or is being done."),
    Result.TRIED: Word(
        "Tried since", "retry", "review", "It was tried after it was counted: see how that went."
    ),
    Result.MOVED_ON: Word(
        "Case moved on", "about", "quiet", "Its case has another status by now, so this is no longer due."
    ),
    Result.UNCERTAIN: Word(
        "Order not certain",
        "unknown",
        "unknown",
        "The order of its case's status changes is not certain: look at it, and re-process it by itself.",
    ),
    Result.GONE: Word("No handler", "cross", "review", "Its handler was renamed or taken away."),
    Result.PAUSED: Word("Paused", "paused", "review", "Its handler is paused: resume it first."),
    Result.IN_DOUBT: Word(
        "May have been done",
        "unknown",
        "review",
        "A try ended before it could say how far it came: check, and re-process it by itself.",
    ),
}
TO_COME = Word("To come", "clock", "quiet", "Its turn has not come yet.")
FAILED_AGAIN = Word("Failed again", "warning", "person", "It was tried once more, and needs a person.")

CLOSE_REASONS = {
    CloseReason.BY_HAND: "It was done by hand",
    CloseReason.NOT_NEEDED: "It is not needed any more",
    CloseReason.NOT_TOLD: "The customer must not be told",
    CloseReason.DUPLICATE: "Another task does the same",
    CloseReason.OTHER: "Another reason, which the note says",
}


def outcome_of_item(outcome: str) -> Word:
    """See queries.batches.Item."""
    if outcome == "to come":
        return TO_COME
    if outcome == RunState.FAILED:
        return FAILED_AGAIN
    return SKIPPED[Result(outcome)] if outcome in set(Result) - {Result.CLOSED} else run_state(outcome)


def why_skipped(result: str) -> Word:
    return SKIPPED[Result(result)]


def close_reason(code: str) -> str:
    return CLOSE_REASONS[CloseReason(code)] if code in set(CloseReason) else code
