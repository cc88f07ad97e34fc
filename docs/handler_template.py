"""Handlers of our own. Copy this file to where `kybdesk serve` is started, keep what you need, and name it in
KYBDESK_HANDLERS: acme/kyb.py is acme.kyb. The guide is docs/handlers.md.
"""

import os
from urllib.parse import quote

import httpx

from receiver.handlers import Context, Done, Event, InDoubt, NoRetry, RetryAfter, TryAgain, handles

# Read when the worker starts: `kybdesk handlers` says that one is missing, before a case needs it. These are
# our own settings, so they come from the environment; of `.env` only KYB Desk's own are read.
ACCOUNTS = os.environ["ACME_ACCOUNTS_URL"]
CHAT = os.environ["ACME_CHAT_URL"]
# Shorter than KYBDESK_HANDLER_TIMEOUT, so that we can say what was slow before we are ended.
TIMEOUT = 10


# One handler enables and suspends: only runs of the same handler wait for each other, in the case's order.
@handles("COMPLETED", leaving="COMPLETED", effect="account", title="Keep the account in step with the case")
def keep_account(event: Event, context: Context) -> Done:
    # What the case is now, not what it was when VOVE sent this: it may have moved on while we could not work.
    case = context.case
    if case is None or (case.uncertain and not context.requested_by):
        # A person who has looked presses "Re-process", and then it goes on.
        raise NoRetry("The order of this case's moves is not certain: compare it with VOVE, then re-process")
    completed = case.status == "COMPLETED"
    state = "active" if completed else "suspended"
    context.log.info("%s: %s → account %s", event.ref_id, case.status, state)  # kept with this try
    _set_account(event.ref_id, state, context)
    # Written to the directory together with this try: once, and only where we come to the end.
    return Done(
        f"The account is {state}",
        business={
            "account_status": state,
            "access_granted": completed,
            "verified_at": case.status_since if completed else None,
        },
    )


def _set_account(ref_id: str, state: str, context: Context) -> None:
    """The whole craft: what happens if this is called twice, and whom each failure needs."""
    # A retry sends the same key, so the service does it once. One key must mean one request: hence the state.
    key = f"{context.idempotency_key}-{state}"
    address = f"{ACCOUNTS}/accounts/{quote(ref_id, safe='')}"
    try:
        answer = httpx.put(address, json={"state": state}, headers={"Idempotency-Key": key}, timeout=TIMEOUT)
    except (
        httpx.TransportError
    ) as error:  # unreachable, broken off, no answer: with the key it may be repeated
        raise TryAgain("The account service can't be reached") from error
    if answer.status_code == 429:
        raise RetryAfter(300, "The account service is busy")
    if answer.status_code == 404:  # say what is missing, and what to do
        raise NoRetry("There is no account with this reference: open one, then re-process this")
    if answer.is_server_error:
        raise TryAgain(f"The account service is out of order: it answered {answer.status_code}")
    if not answer.is_success:
        raise NoRetry(f"The account service refused: it answered {answer.status_code}")


# It writes to people and the chat knows no keys, so it can be neither repeated nor taken back: once=True.
@handles(leaving="COMPLETED", once=True, title="Warn the account manager")
def warn_account_manager(event: Event, context: Context) -> str:
    who = context.business.name or event.ref_id  # the directory may know nothing of it
    text = f"{who} was completed, and is now {event.status}."
    try:
        answer = httpx.post(CHAT, json={"text": text}, timeout=TIMEOUT)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:  # nothing went out: it may be tried again
        raise TryAgain("The chat can't be reached") from error
    except httpx.TransportError as error:  # it may stand there: a person looks
        raise InDoubt("The chat did not answer: look there before you re-process this") from error
    if answer.is_server_error:
        raise InDoubt(f"The chat answered {answer.status_code}: look there before you re-process this")
    if not answer.is_success:
        raise NoRetry(f"The chat refused the warning: it answered {answer.status_code}")
    return f"The account manager was told: {text}"
