"""The way to the mail server. The one question that counts is whether the mail was sent; so the line is drawn
at the moment from which the server has its content."""

import asyncio
import re
from contextlib import suppress
from email.policy import SMTP as ON_THE_WIRE
from email.policy import SMTPUTF8

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPResponse,
    SMTPResponseException,
    SMTPServerDisconnected,
)
from aiosmtplib.protocol import SMTPProtocol, normalize_message_line_endings

from receiver.mail import refusals
from receiver.mail.composing import Mail
from receiver.mail.server import Server

FAREWELL = 1  # seconds at most for QUIT: the mail is sent, and nothing depends on it
LINE_STARTS_WITH_DOT = re.compile(rb"(?m)^\.")


def send(mail: Mail, server: Server, seconds: float) -> None:
    """Hand the mail to its server, within so many seconds.

    Raises TryAgain or NoRetry where it was not sent, InDoubt where nobody knows.
    """
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(_send(mail, server, loop.time() + seconds / 2, loop.time() + seconds))
    finally:
        loop.close()  # not asyncio.run, which would wait for the thread of a look-up that hangs


async def _send(mail: Mail, server: Server, announced_by: float, sent_by: float) -> None:
    """Half of the time is for getting as far as the content: the other half is then there for its answer."""
    content = _content(mail)
    client = SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.security == "tls",
        start_tls=False,  # we say it ourselves, below
        timeout=None,  # ours bounds all steps together
    )
    try:
        with refusals.nothing_was_sent(mail, server):
            async with asyncio.timeout_at(announced_by):
                await _connect(client, server)
                await _announce(client, mail)
            answering = _write(client, content)
        refusals.require_accepted(await _answer(answering, mail, sent_by), mail)
        await _take_leave(client, sent_by)
    finally:
        await _hang_up(client)


async def _connect(client: SMTP, server: Server) -> None:
    await client.connect()
    if server.security == "starttls":
        await client.ehlo()
        if not client.supports_extension("starttls"):
            raise refusals.no_encryption(server)
        await client.starttls()
    if server.user is not None and server.password is not None:
        await _sign_in(client, server, server.user, server.password)


async def _sign_in(client: SMTP, server: Server, user: str, password: str) -> None:
    await client.ehlo()
    if not client.supported_auth_methods:
        raise refusals.no_sign_in(server)
    try:
        await client.login(user, password)
    except SMTPResponseException as error:
        raise refusals.sign_in_refused(error.code) from None
    except SMTPServerDisconnected:  # so do some that did not like what they heard
        raise refusals.broke_off_at_sign_in(server) from None


async def _announce(client: SMTP, mail: Mail) -> None:
    """The envelope, up to the server's word that it waits for the content."""
    options: tuple[str, ...] = ()
    encoding = "ascii"
    if mail.is_international:
        await client.ehlo()
        if not client.supports_extension("smtputf8"):
            raise refusals.no_international_addresses(mail)
        options, encoding = ("SMTPUTF8",), "utf-8"
    await client.mail(mail.sender, options=options, encoding=encoding)
    await client.rcpt(mail.recipient, encoding=encoding)
    waits = await client.execute_command(b"DATA")
    if waits.code != 354:
        raise SMTPDataError(waits.code, waits.message)


def _write(client: SMTP, content: bytes) -> SMTPProtocol:
    """Hand the content over; returned is what then reads the answer.

    `SMTP.data` does this and the DATA command in one, where a connection lost before the content looks the
    same as one lost after it. So its two halves stand here, on the library's own protocol.
    """
    if client.protocol is None:
        raise SMTPServerDisconnected("Connection lost")
    client.protocol.write(content)  # raises where the connection is gone, and then has written nothing
    return client.protocol


async def _answer(answering: SMTPProtocol, mail: Mail, sent_by: float) -> SMTPResponse:
    try:
        async with asyncio.timeout_at(sent_by):
            return await answering.read_response()
    except TimeoutError:
        raise refusals.may_have_been_sent(mail, "fell silent") from None
    except SMTPResponseException as error:
        raise refusals.may_have_been_sent(mail, "gave an answer that can't be understood") from error
    except (SMTPException, OSError) as error:
        raise refusals.may_have_been_sent(mail, "broke off the connection") from error


async def _take_leave(client: SMTP, by: float) -> None:
    left = max(0.0, by - asyncio.get_running_loop().time())
    with suppress(SMTPException, OSError):
        await client.execute_command(b"QUIT", timeout=min(FAREWELL, left))


async def _hang_up(client: SMTP) -> None:
    if isinstance(client.transport, asyncio.WriteTransport):
        client.transport.abort()  # TLS would wait for the other side's farewell
    client.close()
    await asyncio.sleep(0)  # the loop closes the socket in its next turn


def _content(mail: Mail) -> bytes:
    """As it stands after DATA, with its end: a lone dot. One that begins a line is doubled."""
    lines = mail.message.as_bytes(policy=SMTPUTF8 if mail.is_international else ON_THE_WIRE)
    return LINE_STARTS_WITH_DOT.sub(b"..", normalize_message_line_endings(lines)) + b".\r\n"
