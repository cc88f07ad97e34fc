"""A time from and a time to, as people type them and as addresses carry them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dashboard.left_out import Parameter
from dashboard.zones import in_zone, readers_zone

YEARS = range(1971, 2999)  # others are slips of the keyboard, and some can't be told in another zone
A_DAY = len("2026-11-23")  # so long is a day without a time
FIELD = "%Y-%m-%dT%H:%M"  # as the field of a form has it


TIME = Parameter(lambda given: _moment(given) is not None, "is no date")


@dataclass(frozen=True, slots=True)
class Span:
    """`from_` and `to` as they were given; what belongs to the minute, or the day, of `to` is still in it."""

    from_: datetime | None
    to: datetime | None
    to_is_a_day: bool = False

    @property
    def since(self) -> datetime | None:
        return self.from_

    @property
    def until(self) -> datetime | None:
        return self.to and self.to + (timedelta(days=1) if self.to_is_a_day else timedelta(minutes=1))

    @property
    def shown_to(self) -> datetime | None:
        """The last minute that belongs to it."""
        return self.until and self.until - timedelta(minutes=1)

    @property
    def first(self) -> str:
        """For an address that means the same to everybody."""
        return _in_address(self.from_)

    @property
    def last(self) -> str:
        return _in_address(self.shown_to)

    @property
    def first_field(self) -> str:
        return _in_field(self.from_)

    @property
    def last_field(self) -> str:
        return _in_field(self.shown_to)


def span_from(first: str, last: str) -> Span:
    """What is no time was not asked for. Without a zone it is in the one that the page tells its times in."""
    return Span(_moment(first), _moment(last), len(last.strip()) == A_DAY)


def _moment(given: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(given.strip())
    except ValueError:
        return None
    if moment.year not in YEARS:
        return None
    zone = moment.tzinfo or readers_zone()
    return moment.replace(tzinfo=zone).astimezone(UTC)


def _in_address(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M}Z" if moment else ""


def _in_field(moment: datetime | None) -> str:
    return f"{in_zone(moment):{FIELD}}" if moment else ""
