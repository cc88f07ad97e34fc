"""From a setting's text to its value: each function takes the setting's name and its text, and raises
SettingsError, which names the setting and never holds a secret."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from receiver.directory.fields import EMAIL, LANGUAGE

SHIPPED = ("record_progress", "activate_business", "notify_customer", "forward")  # handlers of ours, by file


class SettingsError(Exception):
    """A setting is malformed. The message names it and says what to do; it never holds a secret."""


def database_url(name: str, text: str) -> URL:
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


def dashboard_url(name: str, text: str) -> str:
    try:
        parts = urlsplit(text)
        whole = parts.hostname and parts.port != 0 and parts.path in {"", "/"}
    except ValueError:  # brackets that do not close, a port that is no number
        whole = False
    if not whole or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise SettingsError(f"{name} must be like https://kyb.example.com, without a path")
    return text.rstrip("/")


def networks(name: str, text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(word) for word in words(text))
    except ValueError:
        raise SettingsError(f"{name} must be addresses or networks, such as 10.0.0.0/8") from None


def modules(name: str, text: str) -> tuple[str, ...]:
    """Of ours by their short names, such as notify_customer; of the company's as Python names them."""
    named = tuple(dict.fromkeys(words(text)))
    for module in named:
        if not all(part.isidentifier() for part in module.split(".")):
            raise SettingsError(f"{name}: {module!r} is no module name, such as acme.handlers")
    return tuple(f"receiver.handlers.{module}" if module in SHIPPED else module for module in named)


def delays(name: str, text: str) -> tuple[float, ...]:
    try:
        seconds = tuple(float(word) for word in words(text))
    except ValueError:
        seconds = (-1.0,)
    if not all(0 <= delay <= 30 * 86400 for delay in seconds):
        raise SettingsError(f"{name} must be seconds separated by commas, such as 5,60,600")
    return seconds


def timezone(name: str, text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(f"{name}: no zone {text!r}; use a name like Europe/Paris") from None


def as_it_is(_name: str, text: str) -> str:
    return text


def truth(name: str, text: str) -> bool:
    if text.lower() not in {"yes", "no"}:
        raise SettingsError(f"{name} must be yes or no")
    return text.lower() == "yes"


def one_of(*choices: str) -> Callable[[str, str], str]:
    def read(name: str, text: str) -> str:
        if text.lower() not in choices:
            raise SettingsError(f"{name} must be one of {', '.join(choices)}")
        return text.lower()

    return read


def whole(low: int, high: int) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        value = number(low, high)(name, text)
        if value != int(value):
            raise SettingsError(f"{name} must be a whole number from {low} to {high}")
        return int(value)

    return read


def number(low: float, high: float) -> Callable[[str, str], float]:
    def read(name: str, text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise SettingsError(f"{name} must be a number from {low:g} to {high:g}")
        return value

    return read


def http_url(name: str, text: str) -> str:
    """With a path, as an API's or a web hook's."""
    try:
        parts = urlsplit(text)
        whole = bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is no number
        whole = False
    if not whole or parts.scheme not in {"http", "https"} or parts.fragment or not text.isprintable():
        raise SettingsError(f"{name} must be an address like https://accounts.example.com/kyb")
    return text


def signing_secret(name: str, text: str) -> str:
    """Standard Webhooks' secrets, Svix's too, are `whsec_` and the base64 of 24 to 64 bytes."""
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith("whsec_") or not 24 <= len(key) <= 64:
        raise SettingsError(
            f"{name} is no signing secret: it must be whsec_ followed by the base64 of 24 to 64 bytes"
        )
    return text


def sender(name: str, text: str) -> str:
    """Of a mail: an address, or a name and an address."""
    address = parseaddr(text)[1]
    if not EMAIL.fullmatch(address) or not text.isprintable():
        raise SettingsError(f"{name} must be like Acme Bank <kyb@acme.example>")
    return text


def language(name: str, text: str) -> str:
    if not LANGUAGE.fullmatch(text.lower()):
        raise SettingsError(f"{name} must be a language code such as en or pt-br")
    return text.lower()


def folder(name: str, text: str) -> Path:
    if not Path(text).is_dir():
        raise SettingsError(f"{name}: there is no directory {text}")
    return Path(text).absolute()


@dataclass(frozen=True)
class Target:
    """An address that events are forwarded to; no statuses: every event."""

    url: str
    statuses: tuple[str, ...] = ()


def targets(name: str, text: str) -> tuple[Target, ...]:
    """`https://crm.example.com/kyb COMPLETED REJECTED; https://audit.example.com/kyb`"""
    return tuple(_target(name, words(part)) for part in text.split(";") if part.strip())


def _target(name: str, said: list[str]) -> Target:
    url, *statuses = said
    for status in statuses:
        if status != status.upper():
            raise SettingsError(f"{name}: {status} is no status; after an address stand those it is to get")
    return Target(http_url(name, url), tuple(statuses))


def addresses(_name: str, text: str) -> tuple[str, ...]:
    """E-mail addresses, `@example.com` for all of a domain, and hosts with or without a port."""
    return tuple(word.lower() for word in words(text))


def words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]
