"""A company's mail server, real on a socket: one that works, and one that does what a test wants it to do."""

import socketserver
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.certificates import certificate
from tests.desk import free_port

HOST = "127.0.0.1"
NOBODY: Mapping[str, str] = {}
USER, PASSWORD = "kyb@acme.example", "a secret of the mail server"


class Mailbox:
    """Takes every mail but to those in `refusing`, such as `{"who@x.example": "550 no such user"}`."""

    def __init__(self, refusing: Mapping[str, str]) -> None:
        self.port = free_port()
        self.refusing = refusing
        self.envelopes: list[Envelope] = []
        self.signed_in: list[str] = []

    @property
    def mails(self) -> list[EmailMessage]:
        return [
            message_from_bytes(cast(bytes, envelope.content), policy=policy.default)
            for envelope in self.envelopes
        ]

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if refusal := self.refusing.get(address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.envelopes.append(envelope)
        return "250 OK, queued"

    def authenticate(self, _s: Any, _session: Any, _e: Any, _mechanism: str, said: Any) -> AuthResult:
        assert isinstance(said, LoginPassword)
        right = (said.login.decode(), said.password.decode()) == (USER, PASSWORD)
        if right:
            self.signed_in.append(USER)
        return AuthResult(success=right, handled=False)


def server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate())
    return context


@contextmanager
def mailbox(
    security: str = "none", sign_in: bool = False, refusing: Mapping[str, str] = NOBODY, **options: Any
) -> Iterator[Mailbox]:
    """`security`: "starttls" and "tls" are with the tests' `certificate`."""
    box = Mailbox(refusing)
    if security == "starttls":
        options |= {"tls_context": server_context(), "require_starttls": True}
    if sign_in:
        options |= {
            "authenticator": box.authenticate,
            "auth_required": True,
            "auth_require_tls": security == "starttls",
        }
    implicit = server_context() if security == "tls" else None
    controller = Controller(box, hostname=HOST, port=box.port, ssl_context=implicit, **options)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


DROP, HANG = "drop", "hang"
STEPS = ("connect", "EHLO", "MAIL", "RCPT", "DATA", "content", "QUIT")


class MoodyServer(socketserver.ThreadingTCPServer):
    """Answers as it should, but at one of the STEPS: there it drops the connection, hangs, or says this text.

    `contents`: what it was given after DATA, up to the lone dot, whatever it then said.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, **moods: str) -> None:
        super().__init__((HOST, 0), _Conversation)
        self.moods = moods
        self.port: int = self.server_address[1]
        self.contents: list[bytes] = []
        self.connections = 0


class _Conversation(socketserver.StreamRequestHandler):
    server: MoodyServer

    def handle(self) -> None:
        self.server.connections += 1
        if not self._says("connect", "220 moody.example"):
            return
        while line := self.rfile.readline():
            verb = line.split()[0].decode().upper()
            if not self._says(
                verb, "354 go on" if verb == "DATA" else "221 bye" if verb == "QUIT" else "250 OK"
            ):
                return
            if verb == "DATA" and verb not in self.server.moods and not self._take_content():
                return

    def _take_content(self) -> bool:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line)
        self.server.contents.append(b"".join(lines))
        return self._says("content", "250 queued")

    def _says(self, step: str, usually: str) -> bool:
        """False: the connection is to be dropped."""
        mood = self.server.moods.get(step, usually)
        if mood == HANG:
            while self.rfile.read(1):  # until the other side has had enough
                pass
        if mood in {DROP, HANG}:
            return False
        self.wfile.write(mood.encode() + b"\r\n")
        return True


@contextmanager
def moody(**moods: str) -> Iterator[MoodyServer]:
    with MoodyServer(**moods) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
