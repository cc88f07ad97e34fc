"""The systems around KYB Desk that a company has and the demo invents, each at a port of its own."""

import base64
import secrets
import threading

from dashboard.demo.accounts import Accounts
from dashboard.demo.businesses import MISSPELT
from dashboard.demo.companies import COMPANIES
from dashboard.demo.mailbox import Mailbox
from dashboard.demo.mails import Mails, MailServer
from dashboard.demo.serving import LOOPBACK
from dashboard.demo.vove_api import Records, VoveApi

SENDER = "Acme Bank <kyb@acme-bank.example>"


class Services:
    """An account service, a mail server, a mailbox to read its mails in, and VOVE's API."""

    def __init__(self, dashboard: str, mailbox_port: int, stopping: threading.Event) -> None:
        self.records = Records()
        self._account_secret = new_secret()
        self._vove_key = secrets.token_urlsafe(24)
        mails = Mails()
        self.mailbox = Mailbox(mails, dashboard, mailbox_port)
        self._mail_server = MailServer(mails, _is_unknown)
        self._accounts = Accounts(self._account_secret, stopping)
        self._vove_api = VoveApi(self.records, self._vove_key)

    def start(self) -> None:
        for each in (self.mailbox, self._mail_server, self._accounts, self._vove_api):
            each.start()

    def stop(self) -> None:
        for each in (self.mailbox, self._mail_server, self._accounts, self._vove_api):
            each.stop()

    def settings(self) -> dict[str, str]:
        """With which KYB Desk reaches them, and nobody else."""
        domains = [f"@{company.domain}" for company in COMPANIES]
        return {
            "KYBDESK_ACCOUNT_URL": self._accounts.hook,
            "KYBDESK_ACCOUNT_SECRET": self._account_secret,
            "KYBDESK_ACCOUNT_SUSPEND": "yes",
            "KYBDESK_SMTP_HOST": LOOPBACK,
            "KYBDESK_SMTP_PORT": str(self._mail_server.port),
            "KYBDESK_SMTP_SECURITY": "none",
            "KYBDESK_MAIL_FROM": SENDER,
            "KYBDESK_SUPPORT_URL": self.mailbox.support,
            "KYBDESK_ALLOWED_ADDRESSES": ",".join([LOOPBACK, *domains]),
            "VOVE_API_URL": self._vove_api.address,
            "VOVE_API_KEY": self._vove_key,
        }


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


def _is_unknown(address: str) -> bool:
    """Any other is there, also one that a viewer makes up."""
    return address.startswith(f"{MISSPELT}@")
