"""How a customer text reads in the mail that it would stand in."""

from receiver.handlers.raising import NoRetry, TryAgain
from receiver.mail.choosing import KINDS, Addressee
from receiver.mail.composing import Sender
from receiver.mail.languages import best
from receiver.mail.templates import Letter, Templates
from receiver.settings import Settings

REJECTED = KINDS["REJECTED"]
SOMEBODY = Addressee("Example Ltd", "example-reference")


def languages(settings: Settings) -> frozenset[str]:
    """In which there is a mail about a rejection; where the company's templates are gone, in none."""
    try:
        return Templates(settings.mail_templates).languages(REJECTED)
    except TryAgain:
        return frozenset()


def preview(language: str, text: str, settings: Settings) -> Letter | str:
    """The letter as an invented business would get it; or in words why there is none."""
    written = best(language, languages(settings))
    if written is None:
        return "There is no mail in this language yet, so this text is not sent."
    said = {
        "business": SOMEBODY,
        "company": _company(settings),
        "reason_text": text,
        "support_url": settings.support_url,
        "status": "REJECTED",
    }
    try:
        return Templates(settings.mail_templates).write(REJECTED, written, said)
    except NoRetry as error:
        return str(error)


def _company(settings: Settings) -> str:
    try:
        return Sender.of(settings.mail_from).name if settings.mail_from else "Your company"
    except NoRetry:
        return "Your company"
