"""Enables a business's account when its case is completed, and takes that back when it leaves there.

In the directory, and where KYBDESK_ACCOUNT_URL is set, first at the company's account service.
"""

import json
from typing import Any

from receiver.handlers import AccountStatus, Context, Done, Event, NoRetry, handles
from receiver.handlers.chosen import SETTINGS
from receiver.handlers.moves import moment, moved_on, shown
from receiver.handlers.posting import post, service

COMPLETED = "COMPLETED"
SERVICE = (
    service("The account service", "KYBDESK_ACCOUNT_URL", SETTINGS.account_url, SETTINGS.account_secret)
    if SETTINGS.account_url
    else None
)
COMPARE = "The order in which this case moved is not certain. Compare it with what VOVE shows"


@handles(COMPLETED, leaving=[COMPLETED], effect="account", title="Keep the account in step with the case")
async def activate_business(event: Event, context: Context) -> Done:
    if event.status == COMPLETED:
        return await _enable(event, context)
    return await _take_back(event, context)


async def _enable(event: Event, context: Context) -> Done:
    if _is_completed_again(context):
        return Done("Not enabled by this: the case was completed again later, and that enables it")
    if context.case_moved_on:
        if _may_be_enabled_for_good(context):
            raise NoRetry(
                f"An earlier try of this may have enabled the account, and {moved_on(context)}. Look in your "
                "system: if it is enabled, suspend it there; then set it to suspended on the case's page and "
                "re-process this"
            )
        return Done(f"Not enabled: {moved_on(context)}")
    if _is_uncertain(context):
        raise NoRetry(f"{COMPARE}: if it is completed, re-process this, and the account is enabled")
    answered = await _tell_service("business.activate", event, context)
    return Done(
        f"The account was enabled{answered}",
        business={
            "account_status": AccountStatus.ACTIVE,
            "verified_at": moment(event),
            "access_granted": True,
            "review_status": event.status,
            "review_since": moment(event),
        },
    )


async def _take_back(event: Event, context: Context) -> Done:
    if _is_completed_again(context):
        if _is_uncertain(context):
            raise NoRetry(f"{COMPARE}: if it is no longer completed, re-process this; else leave it")
        return Done("Nothing was taken back: the case is completed again")
    withdrawn = {"access_granted": False, "verified_at": None, **_progress(event, context)}
    if context.business.account_status == AccountStatus.SUSPENDED:
        return Done("The account was suspended before", business=withdrawn)
    if SETTINGS.account_suspend:
        # Even where it is not known to be active: an earlier try may have enabled it and broken off.
        answered = await _tell_service("business.suspend", event, context)
        suspended = {"account_status": AccountStatus.SUSPENDED, **withdrawn}
        return Done(f"The account was suspended{answered}", business=suspended)
    if context.business.account_status == AccountStatus.ACTIVE or context.business.access_granted:
        raise NoRetry(
            f"The case went from {shown(COMPLETED)} to {shown(event.status)}, but the account is enabled. "
            "Please decide: suspend it in your system, set it to suspended on the case's page, and then "
            "re-process this"
        )
    return Done("The account was not enabled, so there is nothing to suspend", business=withdrawn)


def _may_be_enabled_for_good(context: Context) -> bool:
    """The service may have done what an earlier try asked, though its answer never came; and the run of the
    event that took the case further goes by the directory, which knows nothing of it."""
    if not SERVICE or context.try_number == 1:
        return False
    if context.business.account_status == AccountStatus.SUSPENDED:
        return context.requested_by is None  # else a person has just looked, and said so
    return not SETTINGS.account_suspend


def _is_completed_again(context: Context) -> bool:
    return context.case_moved_on and context.case is not None and context.case.status == COMPLETED


def _is_uncertain(context: Context) -> bool:
    """Nobody's account is changed on a guess; who asks for it by name has looked."""
    return context.case is not None and context.case.uncertain and context.requested_by is None


def _progress(event: Event, context: Context) -> dict[str, Any]:
    if context.case_moved_on:
        return {}
    return {"review_status": event.status, "review_since": moment(event)}


async def _tell_service(what: str, event: Event, context: Context) -> str:
    """What it answered, to be said behind what was done."""
    if not SERVICE:
        return " in the directory: no account service is set up to be told"
    body = json.dumps(_message(what, event, context), ensure_ascii=False).encode()
    answer = await post(SERVICE, body, f"msg_{context.idempotency_key}", context)
    return f": the account service answered {answer}"


def _message(what: str, event: Event, context: Context) -> dict[str, Any]:
    """The same in each try of a run: its times are the event's."""
    return {
        "type": what,
        "timestamp": moment(event).isoformat(),
        "data": {
            "refId": event.ref_id,
            "status": event.status,
            "previousStatus": event.previous_status,
            "reason": event.reason,
            "name": context.business.name,
            "email": context.business.email,
        },
    }
