import base64
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from receiver.settings import Settings, SettingsError, load
from tests.receiver.factories import OTHER_SECRET, SECRET

EMPTY = Path("/nonexistent")


def secret(size: int) -> str:
    return "whsec_" + base64.b64encode(b"k" * size).decode()


def test_without_a_word_the_defaults_hold() -> None:
    settings = load({}, EMPTY)

    assert settings == Settings()
    assert settings.database_url.render_as_string() == "sqlite+aiosqlite:///kybdesk.db"
    assert (settings.receiver_host, settings.receiver_port) == ("127.0.0.1", 8001)
    assert (settings.dashboard_host, settings.dashboard_port) == ("127.0.0.1", 8000)
    assert settings.dashboard_url == "http://127.0.0.1:8000"
    assert list(settings.retry_delays) == [5, 60, 600, 3600, 14400, 43200]
    assert settings.environment == "production"


def test_every_setting_can_be_chosen() -> None:
    settings = load(
        {
            "VOVE_WEBHOOK_SECRET": SECRET,
            "KYBDESK_DATABASE_URL": "postgresql://kyb@db/desk",
            "KYBDESK_RECEIVER_HOST": "0.0.0.0",
            "KYBDESK_RECEIVER_PORT": "9001",
            "KYBDESK_DASHBOARD_HOST": "::1",
            "KYBDESK_DASHBOARD_PORT": "9000",
            "KYBDESK_DASHBOARD_URL": "https://kyb.example.com/",
            "KYBDESK_TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::1",
            "KYBDESK_HANDLERS": "acme.handlers,acme.more",
            "KYBDESK_HANDLER_TIMEOUT": "2.5",
            "KYBDESK_HANDLER_MEMORY": "256",
            "KYBDESK_RETRY_DELAYS": "1,2.5",
            "KYBDESK_TIMEZONE": "Europe/Paris",
            "KYBDESK_ENVIRONMENT": "staging",
        },
        EMPTY,
    )

    assert settings.webhook_secrets == (SECRET,)
    assert settings.database_url.host == "db"
    assert (settings.receiver_host, settings.receiver_port) == ("0.0.0.0", 9001)
    assert (settings.dashboard_host, settings.dashboard_port) == ("::1", 9000)
    assert settings.dashboard_url == "https://kyb.example.com"
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("2001:db8::1/128"))
    assert settings.handler_modules == ("acme.handlers", "acme.more")
    assert (settings.handler_timeout, settings.handler_memory) == (2.5, 256)
    assert list(settings.retry_delays) == [1, 2.5]
    assert settings.timezone == ZoneInfo("Europe/Paris")
    assert settings.environment == "staging"


@pytest.mark.parametrize("separator", [" ", ",", ", ", "\n", " ,\t"])
def test_several_secrets_are_for_rotation(separator: str) -> None:
    settings = load({"VOVE_WEBHOOK_SECRET": f"{SECRET}{separator}{OTHER_SECRET}{separator}{SECRET}"}, EMPTY)

    assert settings.webhook_secrets == (SECRET, OTHER_SECRET)


@pytest.mark.parametrize("size", [24, 64])
def test_a_secret_of_24_to_64_bytes_is_taken(size: int) -> None:
    assert load({"VOVE_WEBHOOK_SECRET": secret(size)}, EMPTY).webhook_secrets == (secret(size),)


@pytest.mark.parametrize(
    "malformed",
    [
        "hunter2",
        SECRET.removeprefix("whsec_"),
        SECRET.replace("whsec_", "whpk_"),
        SECRET[:-1],
        SECRET[:10] + "!" + SECRET[11:],
        SECRET + "\N{LATIN SMALL LETTER E WITH ACUTE}",
        "whsec_",
        secret(23),
        secret(65),
    ],
)
def test_a_malformed_secret_stops_the_start_and_is_not_printed(malformed: str) -> None:
    with pytest.raises(SettingsError, match="VOVE_WEBHOOK_SECRET, number 2, is no signing secret") as refusal:
        load({"VOVE_WEBHOOK_SECRET": f"{SECRET} {malformed}"}, EMPTY)

    assert refusal.value.__cause__ is None
    for given in filter(None, [malformed.removeprefix("whsec_"), SECRET]):
        assert given not in str(refusal.value)


def test_settings_show_no_secret() -> None:
    url = "postgresql://kyb:hunter2@db/desk"
    settings = load({"VOVE_WEBHOOK_SECRET": SECRET, "KYBDESK_DATABASE_URL": url}, EMPTY)

    assert SECRET not in repr(settings)
    assert "hunter2" not in repr(settings)


def test_a_secret_can_stand_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n{OTHER_SECRET}\n")

    settings = load({"VOVE_WEBHOOK_SECRET_FILE": str(path)}, EMPTY)

    assert settings.webhook_secrets == (SECRET, OTHER_SECRET)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "not text"])
def test_a_secret_file_that_cannot_be_read_stops_the_start(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(SettingsError, match="VOVE_WEBHOOK_SECRET_FILE cannot be read"):
        load({"VOVE_WEBHOOK_SECRET_FILE": str(path)}, EMPTY)


def test_a_secret_and_a_secret_file_contradict_each_other(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(OTHER_SECRET)

    with pytest.raises(SettingsError, match="not both") as refusal:
        load({"VOVE_WEBHOOK_SECRET": SECRET, "VOVE_WEBHOOK_SECRET_FILE": str(path)}, EMPTY)

    assert SECRET not in str(refusal.value)


def test_without_a_secret_the_roles_that_need_one_say_where_it_is_found() -> None:
    with pytest.raises(SettingsError, match="copy the signing secret"):
        Settings().require_secrets()

    assert replace(Settings(), webhook_secrets=(SECRET,)).require_secrets() == (SECRET,)


def test_dotenv_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        f'VOVE_WEBHOOK_SECRET="{SECRET}"\nKYBDESK_RECEIVER_PORT=9001\nKYBDESK_ENVIRONMENT=pay${{HOME}}\n'
    )

    settings = load({"KYBDESK_RECEIVER_PORT": "9002"}, tmp_path)

    assert settings.webhook_secrets == (SECRET,)
    assert settings.receiver_port == 9002
    assert settings.environment == "pay${HOME}"  # a secret may hold a dollar: nothing is interpolated


@pytest.mark.parametrize("name", ["VOVE_WEBHOOK_SECRET", "KYBDESK_RECEIVER_PORT", "KYBDESK_TIMEZONE"])
def test_an_empty_setting_is_none(name: str) -> None:
    assert load({name: "  "}, EMPTY) == Settings()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("KYBDESK_DATABASE_URL", "kybdesk.db"),
        ("KYBDESK_DATABASE_URL", "mysql://kyb:hunter2@db/desk"),
        ("KYBDESK_DATABASE_URL", "postgresql://kyb:hunter2@db:port/desk"),
        ("KYBDESK_DATABASE_URL", "sqlite+aiosqlite://"),
        ("KYBDESK_DATABASE_URL", "sqlite+aiosqlite:///:memory:"),
        ("KYBDESK_DATABASE_URL", "hunter2://["),
        ("KYBDESK_RECEIVER_PORT", "65536"),
        ("KYBDESK_RECEIVER_PORT", "-1"),
        ("KYBDESK_RECEIVER_PORT", "80.5"),
        ("KYBDESK_DASHBOARD_PORT", "http"),
        ("KYBDESK_DASHBOARD_PORT", "nan"),
        ("KYBDESK_DASHBOARD_URL", "kyb.example.com"),
        ("KYBDESK_DASHBOARD_URL", "ftp://kyb.example.com"),
        ("KYBDESK_DASHBOARD_URL", "https://kyb.example.com/desk"),
        ("KYBDESK_DASHBOARD_URL", "https://"),
        ("KYBDESK_DASHBOARD_URL", "https://[kyb"),
        ("KYBDESK_DASHBOARD_URL", "https://kyb.example.com:port"),
        ("KYBDESK_DASHBOARD_URL", "https://kyb.example.com?desk"),
        ("KYBDESK_DASHBOARD_URL", "https://kyb.example.com#desk"),
        ("KYBDESK_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("KYBDESK_TRUSTED_PROXIES", "*"),
        ("KYBDESK_HANDLERS", "acme/handlers.py"),
        ("KYBDESK_HANDLERS", "acme..handlers"),
        ("KYBDESK_HANDLER_TIMEOUT", "0"),
        ("KYBDESK_HANDLER_TIMEOUT", "inf"),
        ("KYBDESK_HANDLER_TIMEOUT", "soon"),
        ("KYBDESK_HANDLER_MEMORY", "12"),
        ("KYBDESK_HANDLER_MEMORY", "1e99"),
        ("KYBDESK_RETRY_DELAYS", "5;60"),
        ("KYBDESK_RETRY_DELAYS", "-1"),
        ("KYBDESK_RETRY_DELAYS", "nan"),
        ("KYBDESK_RETRY_DELAYS", "1e9"),
        ("KYBDESK_TIMEZONE", "Mars/Olympus"),
        ("KYBDESK_TIMEZONE", "../../etc/passwd"),
        ("KYBDESK_TIMEZONE", "Europe"),
    ],
)
def test_a_malformed_setting_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=name) as refusal:
        load({name: text}, EMPTY)

    assert "hunter2" not in str(refusal.value)
