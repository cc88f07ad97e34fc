"""Failures of the handlers that come with KYB Desk of which the pages know more than their words say."""

from typing import Protocol

from dashboard.queries.runs import Run
from receiver.mail.causes import NEVER_TELL, NO_ADDRESS, NO_REASON, RECIPIENT_REFUSED, all_of, no_text
from receiver.runs.failures import fingerprint_of

NO_RETRY = "NoRetry"  # they are all raised as this


class Failing(Protocol):
    """A run, or what many fail with."""

    @property
    def handler(self) -> str: ...

    @property
    def fingerprint(self) -> str | None: ...


def lacks_text(handler: str, code: str) -> str:
    """The fingerprint of what this handler can't tell for lack of a text for this reason."""
    return _fingerprint(handler, no_text(code))


def must_never_be_told(failing: Failing) -> bool:
    return failing.fingerprint == _fingerprint(failing.handler, NEVER_TELL)


def lacks_address(run: Run, code: str | None) -> bool:
    """There is none, or the mail server knows none such. `code`: of the reason, whose text may lack too."""
    also = no_text(code) if code is not None else NO_REASON
    causes = NO_ADDRESS, RECIPIENT_REFUSED, all_of(NO_ADDRESS, also)
    return run.fingerprint in {_fingerprint(run.handler, cause) for cause in causes}


def _fingerprint(handler: str, cause: str) -> str:
    return fingerprint_of(handler, NO_RETRY, None, cause)
