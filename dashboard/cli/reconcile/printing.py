"""Where we differ, as lines or as JSON."""

import json
from typing import Any

import click

from dashboard.cli.reconcile.comparing import SEVERAL, Report
from dashboard.filters import plural, shorten, visible
from receiver.vove.reconciling import Result
from receiver.vove.views import Comparison

LISTED = 20  # of the lists beside the differences, which are all listed
NOT_RETURNED = (
    "VOVE's list did not have {cases} of ours. That may mean another environment or account at VOVE "
    "(VOVE_API_URL, VOVE_API_KEY), or a case that was removed there:"
)
NOTHING_RETURNED = "VOVE returned no case at all: are VOVE_API_URL and VOVE_API_KEY of the right environment?"


def show(report: Report, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_as_json(report), indent=2))
        return
    for compared in report.compared:
        if report.result is None or compared.differs:
            click.echo(_line(compared))
    if report.result is not None:
        _show_result(report, report.result)


def _line(compared: Comparison) -> str:
    ours = compared.our_status or "not known to us"
    theirs = compared.status or "VOVE has no such case"
    said = f"ours {ours}, VOVE's {theirs}" if compared.differs_in_status else f"both {ours}"
    if compared.moved_since:
        said = f"ours {ours}, which is newer than VOVE's {theirs}"
    elif not compared.differs_in_status and compared.our_status != compared.status:
        said = f"ours {ours}, VOVE's {theirs}: no difference, for VOVE sends nothing for it"
    if compared.differs_in_name or compared.brings_a_name:
        ours = f"“{compared.our_name}”" if compared.our_name else "missing"
        said += f"; name {ours}, VOVE's “{compared.name}”"
    name = f"  {shorten(compared.our_name or compared.name or '', 60)}"
    return visible(f"{compared.ref_id}{name.rstrip()}  {said}")


def _show_result(report: Report, result: Result) -> None:
    _show_not_returned(report)
    for ref_id in result.duplicates[:LISTED]:
        click.echo(f"{visible(ref_id)}: {SEVERAL}")
    if result.skipped:
        click.echo(
            f"{plural(result.skipped, 'entry', 'entries')} of VOVE's list had no usable refId or status."
        )
    if not result.is_complete:
        click.echo(_why_incomplete(result))
    if not result.seen:
        click.echo(NOTHING_RETURNED)
    if report.new_names:
        click.echo(
            f"VOVE knows {plural(report.new_names, 'name')} that the directory lacks: see --take-names."
        )
    differing = sum(compared.differs for compared in report.compared)
    click.echo(
        f"{plural(result.seen, 'case')} of VOVE's compared: "
        + (f"{plural(differing, 'difference')}." if differing else "no difference.")
    )


def _show_not_returned(report: Report) -> None:
    missing = report.not_returned
    if missing:
        click.echo(NOT_RETURNED.format(cases=plural(len(missing), "case")))
        for ref_id, status in missing[:LISTED]:
            click.echo(visible(f"  {ref_id}  ours {status}"))
        if len(missing) > LISTED:
            click.echo(f"  … and {len(missing) - LISTED:,} more; --json lists all.")


def _why_incomplete(result: Result) -> str:
    total = (
        f"VOVE says that there are {result.total:,} cases"
        if result.total is not None
        else "VOVE gives no total"
    )
    how = "its list gave the same page again" if result.repeated else "its list ended"
    return f"Not all may have been compared: {total}, and {how} after {result.seen:,}."


def _as_json(report: Report) -> dict[str, Any]:
    result = report.result or Result(0)
    return {
        "seen": result.seen,
        "total": result.total,
        "complete": result.is_complete,
        "skipped": result.skipped,
        "several": result.duplicates,
        "new_names": report.new_names,
        "differences": [
            {
                "refId": compared.ref_id,
                "status": compared.our_status,
                "voveStatus": compared.status,
                "name": compared.our_name,
                "voveName": compared.name,
                "differsInStatus": compared.differs_in_status,
                "differsInName": compared.differs_in_name,
                "checkedAt": compared.checked_at.isoformat(),
            }
            for compared in report.compared
            if compared.differs
        ],
        "notReturned": [{"refId": ref_id, "status": status} for ref_id, status in report.not_returned],
    }
