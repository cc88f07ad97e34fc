"""References as people write them: one on a line, or several with commas or semicolons between. Pure."""

import re
from collections.abc import Awaitable, Callable, Iterable

from receiver.event import is_ref_id

MOST_CASES = 100  # in one file: an auditor's sample is 25

FindKnown = Callable[[Iterable[str]], Awaitable[set[str]]]


def lines_of(text: str) -> list[str]:
    return [line for line in re.split(r"\r\n|\r|\n", text) if line.strip()]


def parts_of(line: str) -> list[str]:
    return [part.strip() for part in re.split("[,;]", line) if part.strip()]


def possible(ref_ids: Iterable[str]) -> list[str]:
    """Each once, in the order given; what no case could be named is asked of nobody."""
    return [ref_id for ref_id in dict.fromkeys(ref_ids) if is_ref_id(ref_id)]


async def references(text: str, find_known: FindKnown) -> list[str]:
    """A reference may hold commas and spaces itself: a line that is one as it stands is not taken apart."""
    lines = lines_of(text)
    whole = await find_known(possible([*lines, *(line.strip() for line in lines)]))
    return list(dict.fromkeys(ref_id for line in lines for ref_id in _of_line(line, whole)))


def _of_line(line: str, known: set[str]) -> list[str]:
    for whole in (line, line.strip()):
        if whole in known:
            return [whole]
    return parts_of(line)
