"""A letter as an e-mail."""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr

from receiver.directory.domains import in_ascii
from receiver.handlers.raising import NoRetry
from receiver.mail.templates import Letter, one_line


@dataclass(frozen=True)
class Sender:
    name: str
    address: str  # as mail servers take it

    @classmethod
    def of(cls, mail_from: str) -> "Sender":
        name, address = parseaddr(mail_from)
        return cls(one_line(name) or address.rpartition("@")[2], deliverable(address))


@dataclass(frozen=True)
class Mail:
    """The addresses are those of the envelope: what the mail server is told."""

    sender: str
    recipient: str
    message: EmailMessage

    @property
    def is_international(self) -> bool:
        """Whether it goes only to a mail server that takes letters beyond ASCII in addresses."""
        return not (self.sender + self.recipient).isascii()


def deliverable(address: str) -> str:
    """An address as mail servers take it: its domain in ASCII. Raises NoRetry where there is none such."""
    name, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    plain = in_ascii(domain)
    if plain is None:
        raise NoRetry(f"Nothing was sent: no mail can go to {address}, there can be no such domain")
    return f"{name}@{plain}"


def compose(letter: Letter, sender: Sender, recipient: str, key: str, now: datetime) -> Mail:
    """`key`: the same for each try, so that whoever gets the mail twice can see that it is the same one."""
    to = deliverable(recipient)
    message = EmailMessage(policy=SMTP)
    message["From"] = _header(sender.address, sender.name)
    message["To"] = _header(to)
    message["Subject"] = letter.subject
    message["Date"] = now
    message["Message-ID"] = f"<{key}@{sender.address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday notice need answer it
    # Quoted-printable: 8 bits would need an extension of each server on the way.
    message.set_content(letter.text, cte="quoted-printable")
    if letter.html is not None:
        message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    message["Content-Language"] = letter.language  # now: a mail of two parts has moved such headers into one
    return Mail(sender.address, to, message)


def _header(address: str, name: str = "") -> Address:
    user, _, domain = address.rpartition("@")
    return Address(name, user, domain)
