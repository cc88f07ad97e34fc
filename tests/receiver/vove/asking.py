"""VOVE's stand-in asked as the product asks, but without its pauses."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from receiver.settings import Settings
from receiver.vove.client import Client, Patience
from tests.vove_stand_in import KEY, VoveStandIn

T = TypeVar("T")
QUICK = Patience(one=2, all=5, tries=2, pause=0.01, apart=0)


def ask(stand_in: VoveStandIn, question: Callable[[Client], Awaitable[T]]) -> T:
    async def asked() -> T:
        async with Client(Settings(vove_api_url=stand_in.url, vove_api_key=KEY), QUICK) as client:
            return await question(client)

    return asyncio.run(asked())
