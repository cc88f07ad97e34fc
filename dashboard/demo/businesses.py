"""How the verification of each invented business goes: all that happens in the demo is told here."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from dashboard.demo.companies import COMPANIES, Company

MISSPELT = "offce"
FIRST = 2000  # businesses are numbered on from here


class Trouble(StrEnum):
    """What goes wrong on the company's side with a business."""

    BUSY = "the account service is out of order at its first call"
    SLOW = "the account service does not answer until a person asks again"
    NO_TAX_NUMBER = "the account service refuses once; meanwhile a colleague adds what is missing"
    NO_ADDRESS = "the directory has no e-mail address"
    WRONG_ADDRESS = "the directory has an address that the mail server does not know"


@dataclass(frozen=True)
class Story:
    way: tuple[str, ...]
    reason: str | None = None  # of a rejection on the way
    trouble: Trouble | None = None
    lost: int | None = None  # the move whose webhook never comes
    swapped: bool = False  # the last move's webhook comes before the one of the move before it


APPROVED = ("IN_PROGRESS", "IN_REVIEW", "COMPLETED")
REJECTED = ("IN_PROGRESS", "IN_REVIEW", "REJECTED")
LAST = -1

STORIES = (
    Story(APPROVED),
    Story(APPROVED, trouble=Trouble.BUSY),
    Story(REJECTED, "DOCUMENT_MISMATCH"),
    Story(("IN_PROGRESS", "IN_REVIEW", "IN_PROGRESS", "IN_REVIEW", "COMPLETED"), swapped=True),
    Story(REJECTED, "DOCUMENT_EXPIRED", trouble=Trouble.NO_ADDRESS),
    Story(("IN_PROGRESS", "IN_REVIEW")),
    Story((*REJECTED, "IN_REVIEW", "COMPLETED"), "DOCUMENT_EXPIRED"),
    Story(APPROVED, trouble=Trouble.NO_TAX_NUMBER),
    Story(APPROVED, lost=1),
    Story(REJECTED, "COMPANY_NOT_ACTIVE"),
    Story(APPROVED, lost=LAST),
    Story(REJECTED, "DOCUMENT_MISMATCH", trouble=Trouble.WRONG_ADDRESS),
    Story((*APPROVED, "IN_REVIEW")),
    Story(APPROVED, trouble=Trouble.SLOW),
    Story(REJECTED, "UBO_NOT_VERIFIED"),
    Story(("IN_PROGRESS",)),
    Story(REJECTED, "SANCTIONS_REVIEW"),
    Story(REJECTED, "PROOF_OF_ADDRESS_TOO_OLD"),  # which nobody has described yet
)


@dataclass(frozen=True)
class Business:
    """A company, and the number under which VOVE checks it: in a new round it has a new one."""

    company: Company
    number: int  # from 0

    @property
    def ref_id(self) -> str:
        return f"{self.company.key}-{FIRST + self.number}"

    @property
    def story(self) -> Story:
        return STORIES[self.number % len(STORIES)]

    @property
    def email(self) -> str | None:
        """As it is in the directory, before a person mends it."""
        if self.story.trouble == Trouble.NO_ADDRESS:
            return None
        if self.story.trouble == Trouble.WRONG_ADDRESS:
            return f"{MISSPELT}@{self.company.domain}"
        return self.company.email

    @property
    def notes(self) -> str | None:
        if self.email == self.company.email:
            return None
        return f"They called: mails go to {self.company.email}"

    def moves(self) -> Iterator["Move"]:
        before = "NOT_STARTED"
        for status in self.story.way:
            yield Move(self.ref_id, status, before, self.story.reason if status == "REJECTED" else None)
            before = status


@dataclass(frozen=True)
class Move:
    ref_id: str
    status: str
    previous_status: str
    reason: str | None


def business(number: int) -> Business:
    return Business(COMPANIES[number % len(COMPANIES)], number)


def find_business(ref_id: str) -> Business | None:
    """None: it is not one of the invented."""
    key, _, number = ref_id.rpartition("-")
    company = next((company for company in COMPANIES if company.key == key), None)
    if company is None or not number.isdecimal() or int(number) < FIRST:
        return None
    return Business(company, int(number) - FIRST)
