"""The environment and `.env`, read once into one frozen value."""

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from sqlalchemy import URL, make_url

from receiver.settings import reading
from receiver.settings.reading import SettingsError, Target

__all__ = ["Settings", "SettingsError", "Target", "load"]


@dataclass(frozen=True)
class Settings:
    """What the operator chose. Durations in seconds, sizes in MiB where not named otherwise."""

    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    database_url: URL = field(default_factory=lambda: make_url("sqlite+aiosqlite:///kybdesk.db"))
    receiver_host: str = "127.0.0.1"
    receiver_port: int = 8001
    dashboard_host: str = "127.0.0.1"
    dashboard_port: int = 8000
    dashboard_url: str = "http://127.0.0.1:8000"
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    handler_modules: tuple[str, ...] = ()
    handler_timeout: float = 30
    handler_memory: int = 1024
    retry_delays: tuple[float, ...] = (5, 60, 600, 3600, 14400, 43200)
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    environment: str = "production"
    language: str = "en"  # of mails to a business whose own we don't know
    allowed_addresses: tuple[str, ...] = ()  # that shipped handlers reach outside production
    handler_pace: float = 10  # runs of one handler that may begin in a second; 0: as many as there are

    account_url: str | None = None
    account_secret: str | None = field(default=None, repr=False)
    account_suspend: bool = False

    smtp_host: str | None = None
    smtp_port: int = 587
    smtp_security: str = "starttls"  # or "tls", "none"
    smtp_user: str | None = None
    smtp_password: str | None = field(default=None, repr=False)
    mail_from: str | None = None
    mail_templates: Path | None = None
    support_url: str | None = None

    forward_to: tuple[Target, ...] = ()
    forward_secret: str | None = field(default=None, repr=False)

    vove_api_url: str = "https://api.voveid.com/v2"
    vove_api_key: str | None = field(default=None, repr=False)

    # Where each one that is set comes from, by its name: "environment" or ".env".
    sources: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def require_secrets(self) -> tuple[str, ...]:
        """The webhook secrets, for the roles that cannot work without one."""
        if not self.webhook_secrets:
            raise SettingsError(
                "VOVE_WEBHOOK_SECRET is not set: copy the signing secret (whsec_…) from VOVE's dashboard, "
                "Settings → Webhooks, into the environment or into .env"
            )
        return self.webhook_secrets


def load(environment: Mapping[str, str] = os.environ, directory: Path | None = None) -> Settings:
    """Read the settings; the environment wins over `.env` in `directory` (the working directory).

    Raises SettingsError on the first malformed one.
    """
    dotenv = dotenv_values((directory or Path.cwd()) / ".env", interpolate=False)
    given = {name: text.strip() for name, text in {**dotenv, **environment}.items() if text and text.strip()}
    chosen = {field: read(name, given[name]) for name, (field, read) in _READERS.items() if name in given}
    settings = Settings(
        webhook_secrets=_secrets(given), sources=_sources(given, environment.keys()), **chosen
    )
    if "dashboard_url" in chosen:
        return settings
    url = f"http://{settings.dashboard_host}:{settings.dashboard_port}"
    return replace(settings, dashboard_url=reading.dashboard_url("KYBDESK_DASHBOARD_URL", url))


def _sources(given: Mapping[str, str], in_environment: Collection[str]) -> dict[str, str]:
    names = [name for name in (*SECRETS, *_READERS) if name in given]
    return {name: "environment" if name in in_environment else ".env" for name in names}


def _secrets(given: Mapping[str, str]) -> tuple[str, ...]:
    text = given.get("VOVE_WEBHOOK_SECRET", "")
    if path := given.get("VOVE_WEBHOOK_SECRET_FILE"):
        if text:
            raise SettingsError("Set VOVE_WEBHOOK_SECRET or VOVE_WEBHOOK_SECRET_FILE, not both")
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"VOVE_WEBHOOK_SECRET_FILE cannot be read: {type(error).__name__}") from None
    secrets = tuple(dict.fromkeys(reading.words(text)))
    for number, secret in enumerate(secrets, 1):
        reading.signing_secret(f"VOVE_WEBHOOK_SECRET, number {number},", secret)
    return secrets


SECRETS = ("VOVE_WEBHOOK_SECRET", "VOVE_WEBHOOK_SECRET_FILE")
# By name in the environment: the field that it sets, and what reads its text. Defaults are the fields' own.
_READERS: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "KYBDESK_DATABASE_URL": ("database_url", reading.database_url),
    "KYBDESK_RECEIVER_HOST": ("receiver_host", reading.as_it_is),
    "KYBDESK_RECEIVER_PORT": ("receiver_port", reading.whole(0, 65535)),
    "KYBDESK_DASHBOARD_HOST": ("dashboard_host", reading.as_it_is),
    "KYBDESK_DASHBOARD_PORT": ("dashboard_port", reading.whole(0, 65535)),
    "KYBDESK_DASHBOARD_URL": ("dashboard_url", reading.dashboard_url),
    "KYBDESK_TRUSTED_PROXIES": ("trusted_proxies", reading.networks),
    "KYBDESK_HANDLERS": ("handler_modules", reading.modules),
    "KYBDESK_HANDLER_TIMEOUT": ("handler_timeout", reading.number(0.1, 86400)),
    "KYBDESK_HANDLER_MEMORY": ("handler_memory", reading.whole(64, 1024 * 1024)),
    "KYBDESK_RETRY_DELAYS": ("retry_delays", reading.delays),
    "KYBDESK_TIMEZONE": ("timezone", reading.timezone),
    "KYBDESK_ENVIRONMENT": ("environment", reading.as_it_is),
    "KYBDESK_LANGUAGE": ("language", reading.language),
    "KYBDESK_ALLOWED_ADDRESSES": ("allowed_addresses", reading.addresses),
    "KYBDESK_HANDLER_PACE": ("handler_pace", reading.number(0, 10_000)),
    "KYBDESK_ACCOUNT_URL": ("account_url", reading.http_url),
    "KYBDESK_ACCOUNT_SECRET": ("account_secret", reading.signing_secret),
    "KYBDESK_ACCOUNT_SUSPEND": ("account_suspend", reading.truth),
    "KYBDESK_SMTP_HOST": ("smtp_host", reading.as_it_is),
    "KYBDESK_SMTP_PORT": ("smtp_port", reading.whole(1, 65535)),
    "KYBDESK_SMTP_SECURITY": ("smtp_security", reading.one_of("starttls", "tls", "none")),
    "KYBDESK_SMTP_USER": ("smtp_user", reading.as_it_is),
    "KYBDESK_SMTP_PASSWORD": ("smtp_password", reading.as_it_is),
    "KYBDESK_MAIL_FROM": ("mail_from", reading.sender),
    "KYBDESK_MAIL_TEMPLATES": ("mail_templates", reading.folder),
    "KYBDESK_SUPPORT_URL": ("support_url", reading.http_url),
    "KYBDESK_FORWARD_TO": ("forward_to", reading.targets),
    "KYBDESK_FORWARD_SECRET": ("forward_secret", reading.signing_secret),
    "VOVE_API_URL": ("vove_api_url", reading.http_url),
    "VOVE_API_KEY": ("vove_api_key", reading.as_it_is),
}
