"""An invented mail server: takes mails over real SMTP and keeps the last ones in memory; they go nowhere."""

import asyncio
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from dashboard.demo.serving import LOOPBACK

KEPT = 200  # mails
MAX_SIZE = 1024 * 1024  # bytes of a mail

logging.getLogger("mail.log").setLevel(logging.WARNING)  # the library's, which tells of every line


@dataclass(frozen=True)
class Mail:
    id: int
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str | None
    html: str | None
    headers: tuple[tuple[str, str], ...]


class Mails:
    """Written by the mail server's thread, read by the mailbox's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[Mail] = deque(maxlen=KEPT)
        self._ids = count(1)

    def keep(self, envelope: Envelope) -> None:
        said = message_from_bytes(_content(envelope), _class=EmailMessage, policy=policy.default)
        mail = Mail(
            next(self._ids),
            datetime.now(UTC),
            str(said["from"] or envelope.mail_from),
            tuple(envelope.rcpt_tos),
            str(said["subject"] or ""),
            _body(said, "plain"),
            _body(said, "html"),
            tuple((name, str(value)) for name, value in said.items()),
        )
        with self._lock:
            self._kept.append(mail)

    def newest_first(self) -> list[Mail]:
        with self._lock:
            return list(reversed(self._kept))

    def find(self, mail_id: str) -> Mail | None:
        return next((mail for mail in self.newest_first() if str(mail.id) == mail_id), None)


def _content(envelope: Envelope) -> bytes:
    assert isinstance(envelope.content, bytes), "the server decodes nothing"
    return envelope.content


def _body(said: EmailMessage, kind: str) -> str | None:
    part = said.get_body((kind,))
    return None if part is None else str(part.get_content())


class MailServer:
    """Refuses every recipient whom `is_unknown` names, as a real one does an address with a typing error."""

    def __init__(self, mails: Mails, is_unknown: Callable[[str], bool]) -> None:
        self._listening = socket.create_server((LOOPBACK, 0))
        self._controller = _OnSocket(self._listening, _Taking(mails, is_unknown))

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()


class _OnSocket(Controller):
    """On a socket that is bound already: a port found free before may be taken by now."""

    def __init__(self, listening: socket.socket, taking: "_Taking") -> None:
        super().__init__(
            taking, hostname=LOOPBACK, port=listening.getsockname()[1], data_size_limit=MAX_SIZE, ident="demo"
        )
        self._listening = listening

    async def _create_server(self) -> asyncio.AbstractServer:
        return await self.loop.create_server(self._factory_invoker, sock=self._listening)


class _Taking:
    def __init__(self, mails: Mails, is_unknown: Callable[[str], bool]) -> None:
        self._mails = mails
        self._is_unknown = is_unknown

    async def handle_RCPT(  # noqa: N802  # named by the library
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self._is_unknown(address):
            return f"550 5.1.1 <{address}>: there is no such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self._mails.keep(envelope)
        return "250 OK: kept in the demo's mailbox, and sent to nobody"
