"""What people's forms hold, whatever was sent in the place of a field."""

from datetime import datetime

from litestar.exceptions import NotFoundException

from receiver.event import is_ref_id
from receiver.models import from_microseconds

DIGITS = 17  # of a moment in microseconds, until the year 5138


def text_of(field: object) -> str:
    """Browsers send other ends of lines than were typed."""
    return field.replace("\r\n", "\n") if isinstance(field, str) else ""


def moment_of(text: str) -> datetime | None:
    """In microseconds, as a form's page wrote it; none: there was none to write."""
    is_one = text.isascii() and text.isdecimal() and len(text) <= DIGITS
    return from_microseconds(int(text)) if is_one else None


def named_case(ref: str) -> str:
    """A reference in an address. Raises NotFoundException where it is none that a case could have."""
    if not is_ref_id(ref):
        raise NotFoundException
    return ref
