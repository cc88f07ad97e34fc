"""The company's mail server, as the settings have it."""

from dataclasses import dataclass, field

from receiver.settings import Settings, SettingsError


@dataclass(frozen=True)
class Server:
    host: str
    port: int
    security: str  # "starttls", "tls" or "none"
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def server_of(settings: Settings, host: str) -> Server:
    """Raises SettingsError where half a sign-in is set."""
    if (settings.smtp_user is None) != (settings.smtp_password is None):
        raise SettingsError(
            "KYBDESK_SMTP_USER and KYBDESK_SMTP_PASSWORD belong together: set both or neither"
        )
    return Server(
        host, settings.smtp_port, settings.smtp_security, settings.smtp_user, settings.smtp_password
    )
