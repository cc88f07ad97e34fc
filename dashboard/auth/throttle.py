"""How often one may try to sign in. Kept in the process: a restart forgives everybody."""

import ipaddress
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

WINDOW = 15 * 60.0  # seconds
TRIES_BY_EMAIL = 10
TRIES_BY_ADDRESS = 30  # an office behind one address mistypes too
MAX_KEYS = 10_000  # strangers can't fill the memory


class Throttle:
    """Counts failures of late by key. A try counts from its beginning, so that many at once gain nothing."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, key: str) -> float:
        """Seconds until the next try; 0 for now."""
        tries = self._tries.get(key, deque())
        while tries and tries[0] <= self._clock() - WINDOW:
            tries.popleft()
        return tries[0] + WINDOW - self._clock() if len(tries) >= self._limit else 0.0

    def count(self, key: str) -> None:
        self._tries.setdefault(key, deque()).append(self._clock())
        self._tries.move_to_end(key)
        if len(self._tries) > MAX_KEYS:
            self._tries.popitem(last=False)

    def forgive(self, key: str) -> None:
        """The last try succeeded."""
        if tries := self._tries.get(key):
            tries.pop()


@dataclass
class Try:
    was_wrong: bool = False


class SignInThrottle:
    """By e-mail address, against guessing one password; by client address, against trying one on many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._emails = Throttle(TRIES_BY_EMAIL, clock)
        self._addresses = Throttle(TRIES_BY_ADDRESS, clock)

    def wait(self, email: str, address: str) -> float:
        return max(self._emails.wait(email), self._addresses.wait(network(address)))

    @contextmanager
    def trying(self, email: str, address: str) -> Iterator[Try]:
        """Counted before it is checked; taken back where it was not wrong, or where the fault is ours."""
        self.count(email, address)
        this_try = Try()
        try:
            yield this_try
        finally:
            if not this_try.was_wrong:
                self.forgive(email, address)

    def count(self, email: str, address: str) -> None:
        self._emails.count(email)
        self._addresses.count(network(address))

    def forgive(self, email: str, address: str) -> None:
        self._emails.forgive(email)
        self._addresses.forgive(network(address))


def network(address: str) -> str:
    """Of IPv6 the /64, all of which one client has."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ip) if ip.version == 4 else str(ipaddress.ip_network((ip, 64), strict=False))
