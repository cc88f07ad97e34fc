"""Keeps in the directory where a business's review stands, and since when."""

from receiver.handlers import Context, Done, Event, handles
from receiver.handlers.moves import moment, moved_on, shown


@handles("IN_PROGRESS", "IN_REVIEW", title="Record the review's progress")
def record_progress(event: Event, context: Context) -> Done:
    if context.case_moved_on:
        return Done(f"Nothing to record: {moved_on(context)}")
    return Done(
        f"The review is {shown(event.status)}",
        business={"review_status": event.status, "review_since": moment(event)},
    )
