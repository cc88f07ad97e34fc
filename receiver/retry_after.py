"""The Retry-After header, as services of the company's and VOVE's API send it."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

SECONDS = re.compile("[0-9]{1,15}")
MOST_SECONDS = 10**9  # thirty years: what is more means no more, and would overflow


def wait_asked_for(header: str | None, now: datetime) -> timedelta | None:
    """How long it asks us to wait, in seconds or until a date; None where that can't be read."""
    text = (header or "").strip()
    if SECONDS.fullmatch(text):
        return timedelta(seconds=min(int(text), MOST_SECONDS))
    try:
        at = parsedate_to_datetime(text)
        return max((at if at.tzinfo else at.replace(tzinfo=UTC)) - now, timedelta())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
