"""The row that everything said of a reason hangs on."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from receiver.database import upsert
from receiver.models import reasons
from receiver.reasons.fields import LONGEST_CODE


def entered(connection: Connection, code: str, by: str, now: datetime) -> Row[Any]:
    """The reason's row, entered where there was none. Nobody else changes what is said of it until the
    transaction's end. Raises ValueError on what can be no code."""
    if not code or len(code) > LONGEST_CODE:
        raise ValueError(f"a reason's code has 1 to {LONGEST_CODE} characters")
    new = {"code": code, "never_tell": False, "updated_at": now, "updated_by": by}
    connection.execute(upsert(connection, reasons).values(new).on_conflict_do_nothing())
    return connection.execute(select(reasons).where(reasons.c.code == code).with_for_update()).one()
