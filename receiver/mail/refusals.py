"""What went wrong on the way to the mail server, in words, and whether it is any use to try again.

No answer to a sign-in is repeated: a server may quote in it what it was told, the password too.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from aiosmtplib import (
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponse,
    SMTPResponseException,
    SMTPSenderRefused,
)

from receiver.handlers.raising import InDoubt, NoRetry, TryAgain
from receiver.mail.causes import MAIL_REFUSED, RECIPIENT_REFUSED, SENDER_REFUSED
from receiver.mail.composing import Mail
from receiver.mail.server import Server
from receiver.mail.templates import one_line

CORRECT_IT = ": correct it on the case's page, then re-process"
LONGEST_REPLY = 300  # characters, of what a server says


@contextmanager
def nothing_was_sent(mail: Mail, server: Server) -> Iterator[None]:
    """For all that comes before the mail's content: whatever goes wrong, the customer has got nothing."""
    try:
        yield
    except (SMTPException, OSError) as error:
        raise _in_words(error, mail, server) from None  # what it says stands in ours, but for secrets


def _in_words(error: SMTPException | OSError, mail: Mail, server: Server) -> Exception:
    if isinstance(error, SMTPResponseException):
        advice = CORRECT_IT if isinstance(error, SMTPRecipientRefused) else ""
        reply = SMTPResponse(error.code, error.message)
        return _refused(_what(error, mail), reply, advice, _cause(error))
    if isinstance(error, TimeoutError):
        why = f"The mail server {server} did not answer in time. Nothing was sent"
        return TryAgain(why, "no answer in time")
    cause = error if isinstance(error, OSError) and not isinstance(error, SMTPException) else error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _bad_certificate(cause, server)
    return TryAgain(f"{_trouble(error, cause, server)}. Nothing was sent", "not reached")


def _what(error: SMTPResponseException, mail: Mail) -> str:
    if isinstance(error, SMTPRecipientRefused):
        return f"the address {mail.recipient}"
    if isinstance(error, SMTPSenderRefused):
        return f"the sender {mail.sender}"
    return "to take a mail"


def _cause(error: SMTPResponseException) -> str:
    if isinstance(error, SMTPRecipientRefused):
        return RECIPIENT_REFUSED
    return SENDER_REFUSED if isinstance(error, SMTPSenderRefused) else MAIL_REFUSED


def _refused(what: str, reply: SMTPResponse, advice: str = "", cause: str = MAIL_REFUSED) -> Exception:
    said = _quoted(reply)
    if _is_final(reply.code):
        return NoRetry(f"The mail server refused {what}: {said}. Nothing was sent{advice}", cause)
    if _is_temporary(reply.code):
        return TryAgain(f"The mail server refused {what} for the moment: {said}. Nothing was sent", cause)
    return TryAgain(f"The mail server gave an answer that can't be understood: {said}. Nothing was sent")


def _bad_certificate(error: ssl.SSLCertVerificationError, server: Server) -> Exception:
    return NoRetry(
        f"The mail server {server} can't prove who it is: its certificate is not valid "
        f"({one_line(error.verify_message)}). Nothing was sent: ask who runs the mail server, then "
        "re-process",
        "certificate not valid",
    )


def _trouble(error: Exception, cause: BaseException | None, server: Server) -> str:
    if isinstance(cause, ssl.SSLError):
        return f"No encryption could be agreed with the mail server {server} ({cause.reason or cause})"
    if isinstance(cause, socket.gaierror):
        return f"There is no mail server {server}: its name can't be found ({cause.strerror})"
    if isinstance(cause, ConnectionRefusedError):
        return f"There is no mail server at {server}: the connection was refused"
    if isinstance(cause or error, ConnectionError):
        return f"The mail server {server} broke off the connection"
    if isinstance(cause, OSError):
        return f"The mail server {server} can't be reached ({one_line(cause.strerror or str(cause))})"
    return f"The mail server {server}: {one_line(str(error))[:LONGEST_REPLY]}"


def sign_in_refused(code: int) -> Exception:
    if not _is_final(code):
        return TryAgain(f"The mail server could not check our sign-in ({code}). Nothing was sent")
    return NoRetry(
        f"The mail server refused our sign-in ({code}). Nothing was sent: "
        "put KYBDESK_SMTP_USER and KYBDESK_SMTP_PASSWORD right, then re-process",
        "sign-in refused",
    )


def broke_off_at_sign_in(server: Server) -> TryAgain:
    return TryAgain(
        f"The mail server {server} broke off the connection at our sign-in. Nothing was sent. Where this "
        "happens again, check KYBDESK_SMTP_USER and KYBDESK_SMTP_PASSWORD"
    )


def no_encryption(server: Server) -> NoRetry:
    return NoRetry(
        f"The mail server {server} offers no encryption (STARTTLS), and in the clear nothing is sent. "
        "Ask who runs it; or set KYBDESK_SMTP_SECURITY to what it does offer, then re-process"
    )


def no_sign_in(server: Server) -> NoRetry:
    return NoRetry(
        f"The mail server {server} offers no sign-in that we know, and KYBDESK_SMTP_USER is set. "
        "Nothing was sent: ask who runs it, then re-process"
    )


def no_international_addresses(mail: Mail) -> NoRetry:
    return NoRetry(
        f"The mail server does not take letters like those in {mail.recipient} or {mail.sender} (SMTPUTF8). "
        "Nothing was sent: enter another address on the case's page, then re-process"
    )


def require_accepted(reply: SMTPResponse, mail: Mail) -> None:
    """The answer to the content. Raises what it means where the mail was not taken for certain."""
    if 200 <= reply.code <= 299:
        return
    if _is_temporary(reply.code) or _is_final(reply.code):
        raise _refused("the mail", reply)
    raise may_have_been_sent(mail, f"gave an answer that can't be understood ({_quoted(reply)})")


def may_have_been_sent(mail: Mail, what: str) -> InDoubt:
    return InDoubt(
        f"The mail to {mail.recipient} may have been sent: the mail server {what} after it had the whole "
        "mail. Check before you send it again"
    )


def _is_temporary(code: int) -> bool:
    return 400 <= code <= 499


def _is_final(code: int) -> bool:
    return 500 <= code <= 599


def _quoted(reply: SMTPResponse) -> str:
    return one_line(f"{reply.code} {reply.message}")[:LONGEST_REPLY].rstrip(" .")
