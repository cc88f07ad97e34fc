"""The forms of the settings page: what was shown, what was typed instead, and what is wrong with it. Pure.

A form says what it showed, so that nobody overwrites what they have not seen.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from litestar.datastructures import FormMultiDict
from litestar.exceptions import ValidationException

from dashboard import words
from receiver import desk_settings
from receiver.desk_settings import NAMES, DeskSettingError
from receiver.limits import Limit, LimitError, checked, in_words

FINAL = {"COMPLETED", "REJECTED"}  # a case may stay there
WORKING = "working"  # how days are counted; anything else: by the calendar
DIGITS = 6  # of a number of days that is worth reading


@dataclass(frozen=True, slots=True)
class LimitRow:
    """`shown`: as LimitRow.shown_as. `says_now` stands where somebody set another one meanwhile."""

    status: str
    days: str
    working_days: bool
    shown: str
    error: str = ""
    says_now: str = ""

    @property
    def name(self) -> str:
        return self.status

    @property
    def chosen(self) -> Limit | None:
        """Raises LimitError."""
        return checked(self.status, _days(self.days), self.working_days)

    @property
    def was(self) -> Limit | None:
        """Raises LimitError."""
        days, _, counted = self.shown.partition(" ")
        return checked(self.status, _days(days), counted == WORKING)

    def beside(self, present: Limit | None) -> "LimitRow":
        """As it was typed, beside what holds by now."""
        says_now = in_words(present) if present != self.chosen else ""
        return replace(self, shown=_shown(present), says_now=says_now)


@dataclass(frozen=True, slots=True)
class LinkRow:
    name: str
    value: str
    shown: str
    error: str = ""
    says_now: str = ""

    @property
    def chosen(self) -> str:
        return self.value

    @property
    def was(self) -> str:
        return self.shown

    def beside(self, present: str | None) -> "LinkRow":
        says_now = (present or "nothing") if (present or "") != self.value else ""
        return replace(self, shown=present or "", says_now=says_now)


def limit_rows(limits: Mapping[str, Limit], statuses: Sequence[str]) -> list[LimitRow]:
    """Of the statuses in which a case should not stay, in their order, then of those that we don't know. Of a
    final one only where it has a limit."""
    known = [status for status in words.STATUSES if status not in FINAL or status in limits]
    others = [status for status in [*statuses, *limits] if status not in words.STATUSES]
    return [_limit_row(status, limits.get(status)) for status in dict.fromkeys([*known, *others])]


def _limit_row(status: str, limit: Limit | None) -> LimitRow:
    if limit is None:
        return LimitRow(status, "", working_days=True, shown="")
    return LimitRow(status, str(limit.days), limit.working_days, _shown(limit))


def _shown(limit: Limit | None) -> str:
    return f"{limit.days} {WORKING if limit.working_days else ''}" if limit else ""


def typed_limits(form: FormMultiDict) -> list[LimitRow]:
    """Raises ValidationException where the form is none of ours."""
    return [_with_error(row) for row in _typed_limits(form)]


def _typed_limits(form: FormMultiDict) -> Iterator[LimitRow]:
    columns = [list(map(_text, form.getall(name, []))) for name in ("status", "days", "counted", "shown")]
    if len({len(column) for column in columns}) != 1 or len(set(columns[0])) != len(columns[0]):
        raise ValidationException("the form is not whole")
    for status, days, counted, shown in zip(*columns, strict=True):
        yield LimitRow(status, days.strip(), counted == WORKING, shown)


def _with_error(row: LimitRow) -> LimitRow:
    try:
        _ = row.was, row.chosen
    except LimitError as error:
        return replace(row, error=str(error))
    return row


def _days(text: str) -> int | None:
    """Nothing: no limit. What is no number can be none."""
    if not text:
        return None
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS else 0


def link_rows(settings: Mapping[str, str]) -> list[LinkRow]:
    return [LinkRow(name, settings.get(name, ""), shown=settings.get(name, "")) for name in NAMES]


def typed_links(form: FormMultiDict) -> list[LinkRow]:
    return [
        _typed_link(name, _text(form.get(name)).strip(), _text(form.get(f"shown_{name}"))) for name in NAMES
    ]


def _typed_link(name: str, value: str, shown: str) -> LinkRow:
    try:
        return LinkRow(name, desk_settings.checked(name, value), shown)
    except DeskSettingError as error:
        return LinkRow(name, value, shown, error=str(error))


def _text(field: object) -> str:
    return field if isinstance(field, str) else ""
