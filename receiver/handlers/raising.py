"""What a handler raises to say more than that it failed."""

from datetime import UTC, datetime, timedelta


class NoRetry(Exception):  # noqa: N818  # reads as a sentence: raise NoRetry("no such customer")
    """Fails the attempt for good: a person is needed, at once.

    It is told apart from others by its `cause`, a few words that name nobody; else by where it is raised.
    """

    def __init__(self, why: str, cause: str | None = None) -> None:
        super().__init__(why)
        self.cause = cause


class TryAgain(Exception):  # noqa: N818
    """Fails the attempt, which is tried again by the schedule, as after any exception.

    Of this one people read what it says, without its type. `cause`: as that of NoRetry.
    """

    def __init__(self, why: str, cause: str | None = None) -> None:
        super().__init__(why)
        self.cause = cause


class InDoubt(Exception):  # noqa: N818
    """Nobody knows whether it was done, as where a mail server fell silent after it had the mail.

    With `once=True` it then needs a person, who reads why; else it is tried again.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)


class RetryAfter(Exception):  # noqa: N818
    """Fails the attempt and says when to try again: after seconds, a timedelta, or at an aware datetime.

    `at` is that moment in UTC. Raises TypeError or ValueError where there is no such moment.
    """

    def __init__(self, when: float | timedelta | datetime, why: str) -> None:
        super().__init__(why)
        self.at = _moment(when)


def _moment(when: float | timedelta | datetime) -> datetime:
    if isinstance(when, datetime):
        if when.utcoffset() is None:
            raise ValueError("RetryAfter: a datetime must be aware, such as datetime.now(UTC) + …")
        return when.astimezone(UTC)
    if not isinstance(when, int | float | timedelta):
        raise TypeError("RetryAfter: when must be seconds, a timedelta or an aware datetime")
    try:
        return datetime.now(UTC) + (when if isinstance(when, timedelta) else timedelta(seconds=when))
    except OverflowError:
        raise ValueError("RetryAfter: that is beyond the year 9999") from None
