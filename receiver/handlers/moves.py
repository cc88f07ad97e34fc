"""What the shipped handlers ask and say of a case's moves."""

from datetime import datetime

from receiver.cases import KNOWN_STATUSES
from receiver.handlers import Context, Event


def moment(event: Event) -> datetime:
    """When the case moved, as near as we know."""
    return event.message_at or event.received_at


def shown(status: str) -> str:
    """As pages say it."""
    return f"“{status.replace('_', ' ').capitalize() if status in KNOWN_STATUSES else status}”"


def moved_on(context: Context) -> str:
    return (
        f"the case has moved on to {shown(context.case.status)}" if context.case else "the case has moved on"
    )
