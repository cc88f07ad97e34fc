"""What the company says of reasons: their labels, for every page that shows one; all of one, for its page.

A page finds the labels of the reasons it shows, and its template says `{{ case.reason | reason(labels) }}`.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from receiver.models import reason_texts, reasons, record
from receiver.reasons import (
    Description,
    TextVersion,
    all_texts,
    code_of,
    find_description,
    must_not_be_told,
)

WAITING = 100  # texts


@dataclass(frozen=True)
class Told:
    """What customers are told in one language. `newest` waits, unless it is the one `in_use`."""

    language: str
    newest: TextVersion | None
    in_use: TextVersion | None
    older: Sequence[TextVersion]  # the rest, the newest of them first
    has_mail: bool

    @property
    def waiting(self) -> TextVersion | None:
        return self.newest if self.newest and self.newest.approved_at is None else None


@dataclass(frozen=True)
class DescribedReason:
    """`never_tell` also where a code that is the same but for its letters' case and its signs is marked."""

    code: str
    description: Description | None
    never_tell: bool
    told: Sequence[Told]


@dataclass(frozen=True)
class WaitingText:
    """One that is written, and not yet approved."""

    code: str
    label: str | None
    language: str
    written_at: datetime
    written_by: str

    def may_be_approved_by(self, email: str) -> bool:
        """By anybody but its writer."""
        return self.written_by.casefold() != email.casefold()


async def find_labels(connection: AsyncConnection, codes: Iterable[str | None]) -> dict[str, str]:
    """By code, of those reasons that have a label; a reason may be given whole, and None is passed over."""
    wanted = {code_of(code) for code in codes if code}
    query = select(reasons.c.code, reasons.c.label).where(
        reasons.c.code.in_(wanted), reasons.c.label.is_not(None)
    )
    return {row.code: row.label for row in await connection.execute(query)} if wanted else {}


async def find_waiting_texts(connection: AsyncConnection) -> list[WaitingText]:
    """Those that a second person has to approve, the oldest first; none of a reason that is never told."""
    newer = reason_texts.alias()
    is_newest = (
        ~select(newer.c.id)
        .where(
            newer.c.code == reason_texts.c.code,
            newer.c.language == reason_texts.c.language,
            newer.c.id > reason_texts.c.id,
        )
        .exists()
    )
    query = (
        select(reason_texts, reasons.c.label)
        .join_from(reason_texts, reasons, reasons.c.code == reason_texts.c.code)
        .where(reason_texts.c.approved_at.is_(None), ~reasons.c.never_tell, is_newest)
        .order_by(reason_texts.c.id)
        .limit(WAITING)
    )
    return [record(WaitingText, row) for row in await connection.execute(query)]


async def describe(connection: AsyncConnection, code: str, mails: Collection[str]) -> DescribedReason:
    """`mails`: the languages in which there is a mail that a text would stand in."""
    versions = await connection.run_sync(all_texts, code)
    return DescribedReason(
        code,
        await connection.run_sync(find_description, code),
        await connection.run_sync(must_not_be_told, code),
        _by_language(versions, mails),
    )


def _by_language(versions: Sequence[TextVersion], mails: Collection[str]) -> list[Told]:
    languages = sorted({*mails, *(version.language for version in versions)})
    return [
        _told(language, [version for version in versions if version.language == language], language in mails)
        for language in languages
    ]


def _told(language: str, versions: Sequence[TextVersion], has_mail: bool) -> Told:
    """Of these versions, the newest first, that one is in use which was approved last."""
    approved = [(version.approved_at, version.id, version) for version in versions if version.approved_at]
    in_use = max(approved)[2] if approved else None
    newest = versions[0] if versions else None
    older = [version for version in versions if version not in (newest, in_use)]
    return Told(language, newest, in_use, older, has_mail)


async def find_text(connection: AsyncConnection, text_id: int) -> tuple[str, TextVersion] | None:
    """With the code of its reason."""
    query = select(reason_texts).where(reason_texts.c.id == text_id)
    row = (await connection.execute(query)).one_or_none()
    return (row.code, record(TextVersion, row)) if row else None
