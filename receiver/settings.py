"""The environment and `.env`, read once into one frozen value."""

import base64
import binascii
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
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
    chosen = {field: read(name, given[name]) for name, (field, read) in _READERS.items() if name in given}
    settings = Settings(webhook_secrets=_secrets(given), **chosen)
    if "dashboard_url" in chosen:
        return settings
    url = f"http://{settings.dashboard_host}:{settings.dashboard_port}"
    return replace(settings, dashboard_url=_dashboard_url("KYBDESK_DASHBOARD_URL", url))


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


def _database_url(name: str, text: str) -> URL:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # the second: a port that is no number
        url = None
    if url is None or url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise SettingsError(
            f"{name} must look like sqlite+aiosqlite:///kybdesk.db or postgresql://user@host/name"
        )
    if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
        raise SettingsError(f"{name} must name a file: a database in memory is lost on exit")
    return url


def _dashboard_url(name: str, text: str) -> str:
    try:
        parts = urlsplit(text)
        whole = parts.hostname and parts.port != 0 and parts.path in {"", "/"}
    except ValueError:  # brackets that do not close, a port that is no number
        whole = False
    if not whole or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise SettingsError(f"{name} must be like https://kyb.example.com, without a path")
    return text.rstrip("/")


def _networks(name: str, text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(word) for word in _words(text))
    except ValueError:
        raise SettingsError(f"{name} must be addresses or networks, such as 10.0.0.0/8") from None


def _modules(name: str, text: str) -> tuple[str, ...]:
    modules = tuple(dict.fromkeys(_words(text)))
    for module in modules:
        if not all(part.isidentifier() for part in module.split(".")):
            raise SettingsError(f"{name}: {module!r} is no module name, such as acme.handlers")
    return modules


def _delays(name: str, text: str) -> tuple[float, ...]:
    try:
        delays = tuple(float(word) for word in _words(text))
    except ValueError:
        delays = (-1.0,)
    if not all(0 <= delay <= 30 * 86400 for delay in delays):
        raise SettingsError(f"{name} must be seconds separated by commas, such as 5,60,600")
    return delays


def _timezone(name: str, text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(f"{name}: no zone {text!r}; use a name like Europe/Paris") from None


def _text(_name: str, text: str) -> str:
    return text


def _whole(low: int, high: int) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        number = _number(low, high)(name, text)
        if number != int(number):
            raise SettingsError(f"{name} must be a whole number from {low} to {high}")
        return int(number)

    return read


def _number(low: float, high: float) -> Callable[[str, str], float]:
    def read(name: str, text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            raise SettingsError(f"{name} must be a number from {low:g} to {high:g}")
        return number

    return read


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]


# By name in the environment: the field that it sets, and what reads its text. Defaults are the fields' own.
_READERS: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "KYBDESK_DATABASE_URL": ("database_url", _database_url),
    "KYBDESK_RECEIVER_HOST": ("receiver_host", _text),
    "KYBDESK_RECEIVER_PORT": ("receiver_port", _whole(0, 65535)),
    "KYBDESK_DASHBOARD_HOST": ("dashboard_host", _text),
    "KYBDESK_DASHBOARD_PORT": ("dashboard_port", _whole(0, 65535)),
    "KYBDESK_DASHBOARD_URL": ("dashboard_url", _dashboard_url),
    "KYBDESK_TRUSTED_PROXIES": ("trusted_proxies", _networks),
    "KYBDESK_HANDLERS": ("handler_modules", _modules),
    "KYBDESK_HANDLER_TIMEOUT": ("handler_timeout", _number(0.1, 86400)),
    "KYBDESK_HANDLER_MEMORY": ("handler_memory", _whole(64, 1024 * 1024)),
    "KYBDESK_RETRY_DELAYS": ("retry_delays", _delays),
    "KYBDESK_TIMEZONE": ("timezone", _timezone),
    "KYBDESK_ENVIRONMENT": ("environment", _text),
}
