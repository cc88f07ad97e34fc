"""The settings, as the process has them that runs the shipped handlers: without VOVE's secrets."""

import os
from typing import TypeVar

from receiver import settings
from receiver.handlers.loading import SECRETS
from receiver.settings import Settings, SettingsError

T = TypeVar("T")

# Read once, when a shipped handler is imported. Empty in the environment hides what `.env` holds.
SETTINGS: Settings = settings.load({**os.environ, **dict.fromkeys(SECRETS, "")})


def required(name: str, value: T | None) -> T:
    """A setting without which a shipped handler can't work. Raises SettingsError."""
    if value is None:
        raise SettingsError(
            f"{name} is not set: this handler can't work without it; "
            "set it in the environment or in .env, or take the handler out of KYBDESK_HANDLERS"
        )
    return value
