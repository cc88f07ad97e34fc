"""What templates may do with a value: times, ages, sizes, shortened ids, addresses."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import quote, urlencode

from markupsafe import Markup

from dashboard import words
from dashboard.ageing import ageing
from dashboard.causes import cause
from dashboard.changes import changes
from dashboard.charts import outline
from dashboard.deeds import deed_of, why_not
from dashboard.known_failures import must_never_be_told
from dashboard.needs import needs_of
from dashboard.queries.runs import counted
from dashboard.results import close_reason, outcome_of_item, why_skipped
from dashboard.tally import rate
from dashboard.tracebacks import own_frames
from dashboard.zones import in_zone, zone_name

LONG = 30 * 86400  # seconds: in an age of months hours say nothing
UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
DOTS = {".", ".."}  # browsers take these out of a path, even when encoded
VERBS = {"notes", "assignment", "telling", "next"}  # below /cases/ no references, with whatever slashes
BLANK = set("\u115f\u1160\u2800\u3164\uffa0")  # printable, they say, but nothing is seen of them


def moment(at: datetime) -> str:
    """To the second and with its zone: `22 Nov 2026, 14:31:07 UTC`."""
    return f"{in_zone(at):%-d %b %Y, %H:%M:%S} {zone_name(at)}"


def time(at: datetime | None, text: str | None = None) -> Markup:
    """A `<time>` that says the time of day, or the text given; the exact moment on hover."""
    if at is None:
        return Markup("—")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.astimezone(UTC).isoformat(timespec="milliseconds"), moment(at), text or clock(at)
    )


def on(at: datetime | None, form: str) -> Markup:
    """A `<time>` in this form of strftime: `received_at | on("%-d %b, %H:%M")`."""
    return time(at, clock(at, form) if at else None)


def clock(at: datetime, form: str = "%H:%M:%S") -> str:
    """As plain text, in the reader's zone."""
    return f"{in_zone(at):{form}}"


def ago(at: datetime | None, now: datetime) -> Markup:
    if at is None:
        return Markup("—")
    past = now - at
    if abs(past) < timedelta(seconds=10):
        return time(at, "just now")
    return time(at, f"{age(past)} ago" if past > timedelta(0) else f"in {age(-past)}")


def age(span: timedelta) -> str:
    """In the two largest units that say something: `3 d 4 h`, `4 h 29 min`, `7 min`, `12 s`."""
    seconds = max(0, int(span.total_seconds()))
    for (size, unit), (smaller, smaller_unit) in pairwise(UNITS):
        if seconds >= size:
            rest = seconds % size // smaller if smaller > 1 and seconds < LONG else 0
            return f"{seconds // size:,} {unit}" + (f" {rest} {smaller_unit}" if rest else "")
    return f"{seconds} s"


def took(microseconds: int) -> str:
    """A duration as one measures it: `0.4 ms`, `83 ms`, `2.4 s`, `3 min 2 s`."""
    if microseconds < 10_000:
        return f"{microseconds / 1000:.1f} ms"
    if microseconds < 1_000_000:
        return f"{microseconds / 1000:.0f} ms"
    if microseconds < 60_000_000:
        return f"{microseconds / 1_000_000:.1f} s"
    minutes, seconds = divmod(microseconds // 1_000_000, 60)
    return f"{minutes} min {seconds} s" if minutes < 60 else age(timedelta(minutes=minutes))


def between(start: datetime, end: datetime) -> str:
    return took(max(timedelta(0), end - start) // timedelta(microseconds=1))


def day(at: datetime) -> str:
    return f"{in_zone(at):%A, %-d %B %Y}"


def size(count: int) -> str:
    if count < 1024:
        return f"{count} bytes" if count != 1 else "1 byte"
    power = 1 if count < 1024**2 else 2 if count < 1024**3 else 3
    return f"{count / 1024**power:,.1f} {('KiB', 'MiB', 'GiB')[power - 1]}"


def percent(share: float) -> str:
    """`42 %`, `3.1 %`; never nothing where there is something, nor all where something is missing."""
    if 0 < share < 0.1:
        return "under 0.1 %"
    return f"{min(share, 99.9) if share < 100 else share:.{0 if share >= 10 and share % 1 < 0.05 else 1}f} %"


def plural(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def shorten(text: str, length: int = 40) -> str:
    """The middle goes: ids differ at both ends."""
    if len(text) <= length:
        return text
    kept = length - 1
    return f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}"


def cut(text: str, length: int) -> str:
    """A sentence is cut at its end, after a word; one word without an end, wherever it is."""
    if len(text) <= length:
        return text
    whole_words = text[:length].rpartition(" ")[0].rstrip(" ,;:.")
    return f"{whole_words if len(whole_words) > length // 2 else text[: length - 1]}…"


def identifier(text: str, length: int = 40) -> Markup:
    """An id in the monospaced face, shortened in the middle, whole on hover."""
    return Markup('<span class="id" title="{}"><bdi>{}</bdi></span>').format(
        visible(shorten(text, 1000)), visible(shorten(text, length))
    )


def visible(text: str) -> str:
    """Characters that would not be seen, or would turn what stands around them, as their code."""
    return "".join(map(_seen, text)) if text.strip(" ") else "⟨0020⟩" * len(text)


def lines(text: str) -> str:
    return "\n".join("".join(map(_seen, line)) for line in text.replace("\r\n", "\n").split("\n"))


def prose(text: str) -> str:
    """What people wrote for people: French sets a space that does not break before a colon."""
    return lines(text.replace("\u00a0", " ").replace("\u202f", " "))


def _seen(character: str) -> str:
    if character == "\t" or (character.isprintable() and character not in BLANK):
        return character
    return f"⟨{ord(character):04X}⟩"


def case_path(ref_id: str) -> str:
    """Of slashes alone the router leaves nothing of a path."""
    encoded, alone = quote(ref_id, safe=""), ref_id.strip("/")
    by_query = ref_id in DOTS or not alone or alone in VERBS
    return f"/cases?ref={encoded}" if by_query else f"/cases/{encoded}"


def address(path: str, **parameters: Any) -> str:
    """The path with those parameters that say something."""
    query = urlencode({name: value for name, value in parameters.items() if value not in (None, "")})
    return f"{path}{'&' if '?' in path else '?'}{query}" if query else path


FILTERS: dict[str, Callable[..., Any]] = {
    "address": address,
    "age": age,
    "ageing": ageing,
    "ago": ago,
    "between": between,
    "case_path": case_path,
    "cause": cause,
    "changes": changes,
    "clause": words.clause,
    "clock": clock,
    "close_reason": close_reason,
    "counted": counted,
    "cut": cut,
    "day": day,
    "deed": deed_of,
    "family": words.family,
    "identifier": identifier,
    "in_a_sentence": words.in_a_sentence,
    "language": words.language,
    "lines": lines,
    "moment": moment,
    "must_never_be_told": must_never_be_told,
    "needs": needs_of,
    "on": on,
    "outcome": words.outcome,
    "outline": outline,
    "outcome_of_item": outcome_of_item,
    "own_frames": own_frames,
    "percent": percent,
    "plural": plural,
    "prose": prose,
    "rate": rate,
    "reason": words.reason,
    "run_state": words.run_state,
    "shorten": shorten,
    "size": size,
    "status": words.status,
    "time": time,
    "took": took,
    "verdict": words.verdict,
    "visible": visible,
    "why_not": why_not,
    "why_skipped": why_skipped,
}
