"""One thing that is known to be wrong."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` says what is known, `change` what an engineer does about it; `code` is its name in tests."""

    code: str
    what: str
    change: str
