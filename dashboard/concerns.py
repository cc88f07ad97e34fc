"""What can be wrong, in the order in which a person should look: sentences with a number and a way. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dashboard.queries.overview import OldestRun
from dashboard.queries.runs import counted
from receiver.handlers import Effect

OLD = timedelta(hours=1)  # a task that was owed longer ago than this is worth a look
SILENCE = timedelta(days=1)  # without a delivery: it may be a quiet day, or the address may be wrong


@dataclass(frozen=True, slots=True)
class Figures:
    """What the concerns go by. Numbers are at most COUNTED; `effects` are what handlers are set up for."""

    failed_runs: int = 0
    oldest_run: OldestRun | None = None
    not_enabled: int = 0
    still_enabled: int = 0
    not_told: int = 0
    over_limit: int = 0
    new_reasons: int = 0
    waiting_texts: int = 0  # that somebody else has written, and the reader may approve
    differing: int = 0
    unverified: int = 0  # of the last day, as the two below
    unreadable: int = 0
    in_conflict: int = 0
    last_accepted: datetime | None = None
    effects: Collection[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Concern:
    """`number` None: nothing to count. `tone`: person where somebody has to act, review where to look."""

    text: str
    why: str
    href: str
    number: str | None = None
    at: datetime | None = None
    tone: str = "person"


def concerns(seen: Figures, now: datetime) -> list[Concern]:
    return [*_ageing(seen), *_tasks(seen, now), *_cases(seen), *_coming_in(seen, now)]


def _ageing(seen: Figures) -> Iterator[Concern]:
    if seen.over_limit:
        yield _counted(
            seen.over_limit,
            "case is over its limit",
            "cases are over their limit",
            "In one status for longer than you set.",
            "/cases?needs=limit&sort=age",
        )


def _tasks(seen: Figures, now: datetime) -> Iterator[Concern]:
    if seen.failed_runs:
        yield _counted(
            seen.failed_runs,
            "task needs a person",
            "tasks need a person",
            "What did not work is not tried again by itself.",
            "/runs?tab=person",
        )
    oldest = seen.oldest_run
    if oldest and now - oldest.created_at > OLD:
        yield Concern(
            "The oldest task not done",
            f"“{oldest.title}” has been owed since then.",
            f"/runs/{oldest.id}",
            at=oldest.created_at,
            tone="review",
        )


def _cases(seen: Figures) -> Iterator[Concern]:
    if seen.still_enabled:
        yield _counted(
            seen.still_enabled,
            "business is enabled, but no longer completed",
            "businesses are enabled, but no longer completed",
            "There is access although VOVE does not, or does not any more, approve.",
            "/cases?needs=still_enabled",
        )
    if seen.not_enabled and Effect.ACCOUNT in seen.effects:
        yield _counted(
            seen.not_enabled,
            "business is completed, but not enabled",
            "businesses are completed, but not enabled",
            "VOVE approved, and there is no access yet.",
            "/cases?needs=not_enabled",
        )
    if seen.not_told and Effect.CUSTOMER in seen.effects:
        yield _counted(
            seen.not_told,
            "business was rejected, but not told",
            "businesses were rejected, but not told",
            "No message has gone out, and nobody wrote down that the customer was told.",
            "/cases?needs=not_told",
        )
    if seen.new_reasons:
        yield _counted(
            seen.new_reasons,
            "reason that nobody has described yet",
            "reasons that nobody has described yet",
            "VOVE rejects with a code that is new to you. Say what it means, and what customers may read.",
            "/rejections",
            tone="review",
        )
    if seen.waiting_texts:
        yield _counted(
            seen.waiting_texts,
            "text for customers waits for your approval",
            "texts for customers wait for your approval",
            "Until then customers with such a reason are not told.",
            "/rejections#waiting",
            tone="review",
        )
    if seen.differing:
        yield _counted(
            seen.differing,
            "case differs from VOVE",
            "cases differ from VOVE",
            "VOVE said something else when it was last asked.",
            "/differences",
            tone="review",
        )


def _coming_in(seen: Figures, now: datetime) -> Iterator[Concern]:
    if seen.unreadable:
        yield _counted(
            seen.unreadable,
            "delivery of the last day is unreadable",
            "deliveries of the last day are unreadable",
            "Signed by VOVE, but not understood. Nothing of it is lost.",
            "/deliveries?verdict=quarantined",
            tone="review",
        )
    if seen.in_conflict:
        yield _counted(
            seen.in_conflict,
            "delivery of the last day has an id that we know, but different content",
            "deliveries of the last day have an id that we know, but different content",
            "Signed by VOVE. What came first under the same id stands; nothing was changed.",
            "/deliveries?verdict=conflict",
            tone="review",
        )
    if seen.unverified:
        yield _counted(
            seen.unverified,
            "delivery of the last day is unverified",
            "deliveries of the last day are unverified",
            "Turned away: not signed with one of our secrets, or too old.",
            "/deliveries?verdict=refused",
            tone="review",
        )
    if seen.last_accepted and now - seen.last_accepted > SILENCE:
        yield Concern(
            "The last accepted delivery",
            "Nothing has come from VOVE since. It may be quiet there, or deliveries go elsewhere.",
            "/health",
            at=seen.last_accepted,
            tone="review",
        )


def _counted(number: int, one: str, many: str, why: str, href: str, tone: str = "person") -> Concern:
    return Concern(one if number == 1 else many, why, href, counted(number), tone=tone)
