"""VOVE is asked about a case while somebody waits for the page: never inside a transaction, once for all who
ask at the same time, and not again within moments."""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from litestar.datastructures import State
from sqlalchemy.ext.asyncio import AsyncEngine

from receiver.event import ref_key
from receiver.settings import Settings
from receiver.vove import views
from receiver.vove.client import BRIEF, Client, Pace
from receiver.vove.listing import Found, find

QUIET = 5.0  # seconds after a question in which it is not asked again: a double press, an impatient one
REMEMBERED = 200  # cases


@dataclass
class Asking:
    """One for the dashboard: all its questions together keep VOVE's pace."""

    settings: Settings
    _pace: Pace = field(default_factory=Pace)
    _asked: OrderedDict[bytes, tuple[float, "asyncio.Task[Found]"]] = field(default_factory=OrderedDict)

    async def about(self, ref_id: str, writer: AsyncEngine, by: str) -> Found:
        """What VOVE says of the case is kept before this returns. Raises VoveError."""
        key = ref_key(ref_id)
        at, task = self._asked.get(key, (0.0, None))
        if task is None or (task.done() and time.monotonic() - at > QUIET):
            task = asyncio.create_task(self._ask(ref_id, writer, by))
            self._asked[key] = time.monotonic(), task
            self._asked.move_to_end(key)
            while len(self._asked) > REMEMBERED:
                self._asked.popitem(last=False)
        return await asyncio.shield(task)

    async def _ask(self, ref_id: str, writer: AsyncEngine, by: str) -> Found:
        async with Client(self.settings, BRIEF, self._pace) as client:
            found = await find(client, ref_id)
        async with writer.begin() as connection:
            await connection.run_sync(views.keep_one, ref_id, found, by)
        return found


def asking_of(state: State) -> Asking:
    if "asking" not in state:
        state["asking"] = Asking(state.settings)
    asking: Asking = state["asking"]
    return asking
