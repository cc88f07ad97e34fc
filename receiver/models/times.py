"""Moments, and the numbers that they are kept as."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


def to_microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def day_of(moment: datetime) -> int:
    """Days since 1970, UTC: by these attempts are counted."""
    return (moment - EPOCH).days


def hour_of(moment: datetime) -> int:
    """Hours since 1970, UTC: by these deliveries are counted."""
    return (moment - EPOCH) // HOUR


class UtcTime(TypeDecorator[datetime]):
    """An instant: an aware datetime in Python, microseconds since 1970 in either database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Any) -> int | None:
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, _dialect: Any) -> datetime | None:
        return None if value is None else from_microseconds(value)
