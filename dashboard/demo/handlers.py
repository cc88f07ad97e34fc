"""What an invented company does when a case moves; some of it fails, so that there is something to set right.

Also an example of handlers as one writes them: see the README.
"""

import time

from receiver.handlers import Context, Event, NoRetry, handles


@handles("IN_PROGRESS", "IN_REVIEW", title="Record the progress")
def record_progress(event: Event, context: Context) -> str:
    context.log.info("%s: %s → %s", event.ref_id, event.previous_status, event.status)
    return f"Noted as {event.status}"


@handles("COMPLETED", title="Enable the business account")
def enable_account(event: Event, context: Context) -> str:
    fault = _fault(event, context)
    context.log.info("PUT /accounts/%s with key %s", event.ref_id, context.idempotency_key)
    if fault == "busy":
        raise ConnectionError("the account service answered 503 Service Unavailable")
    if fault == "slow":
        context.log.info("waiting for the account service …")
        time.sleep(60)
    if fault == "incomplete":
        raise NoRetry("The account has no tax number. (A colleague adds it now: re-process.)")
    return "The account is active"


@handles("REJECTED", once=True, title="Tell the customer")
async def tell_customer(event: Event, context: Context) -> str:
    if _number(event) % 4 == 2 and context.try_number == 1:
        raise NoRetry(
            "The CRM has no e-mail address for this business. (A colleague adds it now: re-process.)"
        )
    if context.case_moved_on:
        return "Not sent: the case has moved on since"
    context.log.info("mail sent, reason %s", event.reason)
    return f"E-mail sent, with the reason {event.reason}"


def _fault(event: Event, context: Context) -> str | None:
    """Busy on the first try, so a retry helps; slow until re-processed; incomplete until re-processed."""
    fault = {5: "busy", 8: "slow", 0: "incomplete"}.get(_number(event) % 9)
    tries_it_lasts = {"busy": 1, "slow": 3, "incomplete": 1}
    return fault if fault and context.try_number <= tries_it_lasts[fault] else None


def _number(event: Event) -> int:
    return int(event.ref_id.rpartition("-")[2]) if event.ref_id[-1].isdigit() else 0
