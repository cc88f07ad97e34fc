"""VOVE is asked about all cases, or about some, while the terminal shows how far it is."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import click
from sqlalchemy import Engine

from dashboard.cli.common import settings
from dashboard.filters import visible
from receiver.vove import reconciling, views
from receiver.vove.client import Client
from receiver.vove.listing import find
from receiver.vove.reconciling import Pass, Result
from receiver.vove.troubles import Trouble, VoveError
from receiver.vove.views import Comparison

NOBODY = "kybdesk reconcile"  # who asked, where nobody is named
SEVERAL = "VOVE has several cases with this reference; the one that changed last counts."


@dataclass
class Report:
    """What was found out. Without a `result` VOVE was asked about single cases."""

    compared: list[Comparison]
    result: Result | None = None
    not_returned: list[tuple[str, str]] = field(default_factory=list)  # reference, our status
    new_names: int = 0  # that the directory lacks
    settled: set[str] = field(default_factory=set)  # references that were taken over
    unanswered: int = 0

    @property
    def differs(self) -> bool:
        open_ones = [each for each in self.compared if each.differs and each.ref_id not in self.settled]
        return bool(open_ones or self.not_returned or self.unanswered)


def compare_all(engine: Engine, by: str, fresh: bool) -> Report:
    with engine.begin() as connection:
        this = reconciling.begin(connection, by, datetime.now(UTC), fresh)
    if this.is_resumed:
        click.echo(
            f"Going on at page {this.next_page}, after {this.seen:,} cases: it was interrupted "
            f"({this.started_at:%-d %b, %H:%M} UTC). --fresh begins anew.",
            err=True,
        )
    result = asyncio.run(_go_through(engine, this, by))
    with engine.begin() as connection:
        reconciling.finish(connection, this, datetime.now(UTC))
    return Report(
        list(reconciling.differences(engine)),
        result,
        list(reconciling.not_returned(engine, this)) if result.is_complete else [],
        reconciling.count_new_names(engine),
    )


async def _go_through(engine: Engine, this: Pass, by: str) -> Result:
    async with Client(settings()) as client:
        return await reconciling.go_through(engine, client, this, by, _tell)


def _tell(result: Result) -> None:
    if sys.stderr.isatty():
        of_all = f" of {result.total:,}" if result.total is not None else ""
        click.echo(f"\r{result.seen:,}{of_all} cases compared …", nl=False, err=True)


def ask_about(engine: Engine, ref_ids: Sequence[str], by: str) -> Report:
    return asyncio.run(_ask_about(engine, list(dict.fromkeys(ref_ids)), by))


async def _ask_about(engine: Engine, ref_ids: Sequence[str], by: str) -> Report:
    report = Report([])
    async with Client(settings()) as client:
        for ref_id in ref_ids:
            try:
                found = await find(client, ref_id)
            except VoveError as error:
                if error.trouble is not Trouble.UNCLEAR:
                    raise
                click.echo(f"{visible(ref_id)}: {error}", err=True)
                report.unanswered += 1
                continue
            if found.several:
                click.echo(f"{visible(ref_id)}: {SEVERAL}", err=True)
            with engine.begin() as connection:
                report.compared.append(views.keep_one(connection, ref_id, found, by))
    return report
