"""What people set on the settings page beside limits: where a case is found at VOVE and in the CRM."""

import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote, urlsplit

from sqlalchemy import Connection, delete, select

from receiver.activity import Kind, note
from receiver.database import lock, upsert
from receiver.models import desk_settings

NAMES = ("vove_link", "crm_link")
MOST = 500  # characters of a template
PLACE = re.compile(r"\{(ref_id|vove_id)\}")
PLAIN = re.compile(r"[!-\[\]-~]*")  # ASCII that is seen, and no backslash: browsers take it for a slash
DOTS = {".", ".."}  # browsers take these out of a path, even when encoded


class DeskSettingError(ValueError):
    """A setting that can't be. The message says what to write instead."""


def find_settings(connection: Connection) -> dict[str, str]:
    """By name; what nobody has set is not there."""
    return {row.name: row.value for row in connection.execute(select(desk_settings))}


def set_setting(connection: Connection, name: str, value: str, by: str, now: datetime) -> bool:
    """Nothing: not set any more. False where it is so already. Raises DeskSettingError."""
    value = checked(name, value)
    if find_settings(connection).get(name, "") == value:
        return False
    if value:
        values = {"value": value, "updated_at": now, "updated_by": by}
        entered = upsert(connection, desk_settings).values(name=name, **values)
        connection.execute(entered.on_conflict_do_update(index_elements=["name"], set_=values))
    else:
        connection.execute(delete(desk_settings).where(desk_settings.c.name == name))
    note(connection, Kind.SET, by, now, subject=name, detail=value or "nothing")
    return True


def replace_settings(
    connection: Connection, shown: Mapping[str, str], chosen: Mapping[str, str], by: str, now: datetime
) -> bool:
    """What is chosen in the place of what was shown. False, and nothing: somebody set another meanwhile."""
    lock(connection, desk_settings)
    present = find_settings(connection)
    changed = {name: value for name, value in chosen.items() if value != shown[name]}
    if any(present.get(name, "") not in {shown[name], value} for name, value in changed.items()):
        return False
    for name, value in changed.items():
        set_setting(connection, name, value, by, now)
    return True


def checked(name: str, value: str) -> str:
    """Raises DeskSettingError."""
    if name not in NAMES:
        raise DeskSettingError("There is no such setting")
    template = value.strip()
    if template and (why := _trouble(template)):
        raise DeskSettingError(why)
    return template


def _trouble(template: str) -> str | None:
    if len(template) > MOST:
        return f"It may have {MOST} characters, not {len(template):,}"
    if not PLAIN.fullmatch(template):
        return (
            "Write it without spaces, backslashes and letters outside ASCII: encode them as %20 and the like"
        )
    if set("{}") & set(PLACE.sub("", template)):
        return "Only {ref_id} and {vove_id} may stand in braces"
    if not PLACE.search(template):
        return "It needs {ref_id} or {vove_id} in the place where the case's own number stands"
    return _trouble_with_host(template)


def _trouble_with_host(template: str) -> str | None:
    """A case's number comes from outside: it must not choose where a link leads."""
    try:
        parts = urlsplit(template)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "This is no address: check what stands between // and the next slash"
    if parts.scheme not in {"http", "https"} or not host:
        return "Begin with https:// (or http://) and the name of the server"
    if "@" in parts.netloc or "{" in parts.netloc:
        return "{ref_id} and {vove_id} may stand only after the server's name, and a user name nowhere"
    return None


def link(template: str | None, ref_id: str, vove_id: str | None) -> str | None:
    """The address of this case; none where no template is set, or it needs an id that we don't know."""
    values = {"ref_id": ref_id, "vove_id": vove_id or ""}
    if not template or any(_unfit(values[name]) for name in PLACE.findall(template)):
        return None
    return PLACE.sub(lambda place: quote(values[place[1]], safe=""), template)


def _unfit(value: str) -> bool:
    return not value or value in DOTS
