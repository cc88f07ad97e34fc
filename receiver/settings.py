"""The environment and `.env`, read once into one frozen value."""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError


class SettingsError(Exception):
    """A setting is malformed. The message names it and says what to do; it never holds a secret."""


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
    dashboard_host = given.get("KYBDESK_DASHBOARD_HOST", "127.0.0.1")
    dashboard_port = _whole(given, "KYBDESK_DASHBOARD_PORT", 8000, 0, 65535)
    return Settings(
        webhook_secrets=_secrets(given),
        database_url=_database_url(given.get("KYBDESK_DATABASE_URL", "sqlite+aiosqlite:///kybdesk.db")),
        receiver_host=given.get("KYBDESK_RECEIVER_HOST", "127.0.0.1"),
        receiver_port=_whole(given, "KYBDESK_RECEIVER_PORT", 8001, 0, 65535),
        dashboard_host=dashboard_host,
        dashboard_port=dashboard_port,
        dashboard_url=_dashboard_url(
            given.get("KYBDESK_DASHBOARD_URL", f"http://{dashboard_host}:{dashboard_port}")
        ),
        trusted_proxies=_networks(given.get("KYBDESK_TRUSTED_PROXIES", "")),
        handler_modules=_modules(given.get("KYBDESK_HANDLERS", "")),
        handler_timeout=_number(given, "KYBDESK_HANDLER_TIMEOUT", 30, 0.1, 86400),
        handler_memory=_whole(given, "KYBDESK_HANDLER_MEMORY", 1024, 64, 1024 * 1024),
        retry_delays=_delays(given.get("KYBDESK_RETRY_DELAYS", "5,60,600,3600,14400,43200")),
        timezone=_timezone(given.get("KYBDESK_TIMEZONE", "UTC")),
        environment=given.get("KYBDESK_ENVIRONMENT", "production"),
    )


def _secrets(given: Mapping[str, str]) -> tuple[str, ...]:
    text = given.get("VOVE_WEBHOOK_SECRET", "")
    if path := given.get("VOVE_WEBHOOK_SECRET_FILE"):
        if text:
            raise SettingsError("Set VOVE_WEBHOOK_SECRET or VOVE_WEBHOOK_SECRET_FILE, not both")
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"VOVE_WEBHOOK_SECRET_FILE cannot be read: {type(error).__name__}") from None
    secrets = tuple(dict.fromkeys(_words(text)))
    for number, secret in enumerate(secrets, 1):
        _check_secret(secret, number)
    return secrets


def _check_secret(secret: str, number: int) -> None:
    """Svix's secrets are `whsec_` and the base64 of 24 to 64 bytes; its library would take `hunter2` too."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith("whsec_") or not 24 <= len(key) <= 64:
        raise SettingsError(
            f"VOVE_WEBHOOK_SECRET: number {number} is no signing secret: it must be whsec_ "
            "followed by the base64 of 24 to 64 bytes, as VOVE's dashboard shows it"
        )


def _database_url(text: str) -> URL:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # the second: a port that is no number
        url = None
    if url is None or url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise SettingsError(
            "KYBDESK_DATABASE_URL must look like sqlite+aiosqlite:///kybdesk.db or postgresql://user@host/name"
        )
    if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
        raise SettingsError("KYBDESK_DATABASE_URL must name a file: a database in memory is lost on exit")
    return url


def _dashboard_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        whole = parts.hostname and parts.port != 0 and parts.path in {"", "/"}
    except ValueError:  # brackets that do not close, a port that is no number
        whole = False
    if not whole or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise SettingsError("KYBDESK_DASHBOARD_URL must be like https://kyb.example.com, without a path")
    return text.rstrip("/")


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(word) for word in _words(text))
    except ValueError:
        raise SettingsError(
            "KYBDESK_TRUSTED_PROXIES must be addresses or networks, such as 10.0.0.0/8"
        ) from None


def _modules(text: str) -> tuple[str, ...]:
    modules = tuple(dict.fromkeys(_words(text)))
    for module in modules:
        if not all(part.isidentifier() for part in module.split(".")):
            raise SettingsError(f"KYBDESK_HANDLERS: {module!r} is no module name, such as acme.handlers")
    return modules


def _delays(text: str) -> tuple[float, ...]:
    try:
        delays = tuple(float(word) for word in _words(text))
    except ValueError:
        delays = (-1.0,)
    if not all(0 <= delay <= 30 * 86400 for delay in delays):
        raise SettingsError("KYBDESK_RETRY_DELAYS must be seconds separated by commas, such as 5,60,600")
    return delays


def _timezone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(f"KYBDESK_TIMEZONE: no zone {text!r}; use a name like Europe/Paris") from None


def _whole(given: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    number = _number(given, name, default, low, high)
    if number != int(number):
        raise SettingsError(f"{name} must be a whole number from {low} to {high}")
    return int(number)


def _number(given: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    try:
        number = float(given.get(name, default))
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise SettingsError(f"{name} must be a number from {low:g} to {high:g}")
    return number


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]
