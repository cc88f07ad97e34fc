"""Whether a customer may be told, and what: the letter, or in words what is missing to write it."""

from dataclasses import dataclass

from receiver.handlers.raising import NoRetry
from receiver.handlers.values import Context, Event, Reason
from receiver.mail.causes import NEVER_TELL, NO_ADDRESS, NO_REASON, UNCERTAIN, all_of, no_text
from receiver.mail.languages import best, first_in_all, name_of, wished
from receiver.mail.templates import Letter, Templates, one_line
from receiver.settings import Settings

ENTER_IT = "The business has no e-mail address: enter it on the case's page, then re-process."
KINDS = {"COMPLETED": "completed", "REJECTED": "rejected"}  # of letters, by the event's status


@dataclass(frozen=True)
class Addressee:
    """What a template may know of the business: the directory holds notes that no customer is to read."""

    name: str | None
    ref_id: str


def require_may_be_told(event: Event, context: Context) -> None:
    """Raises NoRetry where a person has to decide."""
    if event.status == "REJECTED" and context.reason is not None and context.reason.never_tell:
        raise NoRetry(
            "This reason must not be told to the customer (it is marked “never tell”). "
            "Nothing was sent: close this task without retrying",
            NEVER_TELL,
        )
    if context.case is not None and context.case.uncertain and context.requested_by is None:
        raise NoRetry(
            "The order of this case's status changes is not sure, so nothing was sent to the customer. "
            f"Check at VOVE that the case is {event.status}; then re-process to send the mail",
            UNCERTAIN,
        )


def choose(event: Event, context: Context, settings: Settings, company: str) -> tuple[str, Letter]:
    """The address and the letter. Raises NoRetry, with all that is missing."""
    templates, kind = Templates(settings.mail_templates), KINDS[event.status]
    wishes = wished(context.business.language, settings.language)
    written = templates.languages(kind)
    texts = dict(context.reason.customer_texts) if context.reason else {}
    # Of a rejection, the language must have a letter and an approved text alike.
    found = first_in_all(wishes, written, *([texts] if event.status == "REJECTED" else []))
    missing = {} if context.business.email else {NO_ADDRESS: ENTER_IT}
    if not found:
        cause = no_text(context.reason.code) if context.reason else NO_REASON
        missing[cause] = _no_text_said(context.reason, wishes, written)
    if missing or not found or context.business.email is None:
        raise NoRetry(f"Nothing was sent. {' '.join(missing.values())}", all_of(*missing))
    said = {
        "business": Addressee(_line(context.business.name), one_line(event.ref_id)),
        "company": company,
        "reason_text": texts[found[-1]] if event.status == "REJECTED" else None,
        "support_url": settings.support_url,
        "status": event.status,
    }
    return context.business.email, templates.write(kind, found[0], said)


def _no_text_said(reason: Reason | None, wishes: tuple[str, ...], written: frozenset[str]) -> str:
    if reason is None:
        return (
            "VOVE gave no reason, so no text is approved for the customer. Write to the customer by hand, "
            "then close this task as done by hand."
        )
    language = next(filter(None, (best(wish, written) for wish in wishes)))
    return (
        f"No customer text is approved for {_named(reason)} in {name_of(language)}: "
        "have one written and approved under “Rejections → this reason”, then re-process."
    )


def _named(reason: Reason) -> str:
    return f"“{reason.label}” ({reason.code})" if reason.label else f"“{reason.code}”"


def _line(text: str | None) -> str | None:
    return one_line(text) or None if text else None
