"""What whoever runs KYB Desk has set in its environment, for people to read: never a secret, nor an address
that may hold one."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import URL

from dashboard.filters import age, plural
from receiver.settings import Settings

SECRETS = ("VOVE_WEBHOOK_SECRET", "VOVE_WEBHOOK_SECRET_FILE")


@dataclass(frozen=True, slots=True)
class Given:
    """`source` is "environment" or ".env", or None: nobody set it."""

    what: str
    value: str
    name: str
    source: str | None


def surroundings(settings: Settings) -> list[Given]:
    secret = next((name for name in SECRETS if name in settings.sources), SECRETS[0])
    return [
        Given(what, value, name, settings.sources.get(name)) for what, value, name in _told(settings, secret)
    ]


def _told(settings: Settings, secret: str) -> Iterator[tuple[str, str, str]]:
    yield "Kind of installation", settings.environment, "KYBDESK_ENVIRONMENT"
    yield "Time zone of the company", settings.timezone.key, "KYBDESK_TIMEZONE"
    yield "Address of these pages", settings.dashboard_url, "KYBDESK_DASHBOARD_URL"
    yield "Database", _database(settings.database_url), "KYBDESK_DATABASE_URL"
    yield "Signing secret of VOVE's webhook", _secrets(len(settings.webhook_secrets)), secret
    yield "VOVE's API", _set_up(settings.vove_api_key), "VOVE_API_KEY"
    yield "Handlers", ", ".join(settings.handler_modules) or "none", "KYBDESK_HANDLERS"
    yield "A task is tried again", _retries(settings.retry_delays), "KYBDESK_RETRY_DELAYS"
    yield "A try may take", _span(settings.handler_timeout), "KYBDESK_HANDLER_TIMEOUT"
    yield "Tasks of one handler", _pace(settings.handler_pace), "KYBDESK_HANDLER_PACE"
    yield "Account service", _set_up(settings.account_url), "KYBDESK_ACCOUNT_URL"
    yield "Mail server", _set_up(settings.smtp_host), "KYBDESK_SMTP_HOST"
    yield "Status changes are forwarded", _targets(len(settings.forward_to)), "KYBDESK_FORWARD_TO"


def _database(url: URL) -> str:
    """Without who signs in to it, and how."""
    if url.get_backend_name() == "sqlite":
        return f"SQLite, the file {url.database}"
    return f"PostgreSQL, {url.database or 'the database'} at {url.host or 'this machine'}"


def _secrets(count: int) -> str:
    return "set" if count == 1 else f"{count} are set" if count else "not set for these pages"


def _set_up(value: str | None) -> str:
    return "set up" if value else "not set up"


def _retries(delays: tuple[float, ...]) -> str:
    if not delays:
        return "never by itself: it needs a person at once"
    return f"after {', '.join(map(_span, delays))}; then it needs a person"


def _span(seconds: float) -> str:
    return age(timedelta(seconds=seconds)) if seconds >= 1 else f"{seconds:g} s"


def _pace(pace: float) -> str:
    return f"at most {pace:g} begin in a second" if pace else "as many begin as there are"


def _targets(count: int) -> str:
    return f"to {plural(count, 'address', 'addresses')}" if count else "nowhere"
