"""A client comes back for the rest of an answer. Spec: 2025-11-25 basic/transports
#resumability-and-redelivery.
"""

from __future__ import annotations

import asyncio

from tests.interaction.conftest import Connect
from tests.interaction.guest import Mark, method, text_of
from tests.interaction.matrix import Cell


async def test_it_has_everything_once_and_in_order(
    cell: Cell, connect: Connect, mark: Mark
) -> None:
    arguments = {"to": 6, "mark": str(mark)}
    async with connect() as guest:
        counting = asyncio.create_task(
            guest.call_tool("count", arguments, progress_token="p")
        )
        await guest.hears(method("notifications/progress"), 3)
        await guest.wire.cut()
        mark.let_go()
        assert await mark.fate() == "finished"
        assert guest.progress() == [1, 2, 3]
        await guest.wire.mend()
        assert text_of(await counting) == "6 steps"
        assert guest.progress() == [1, 2, 3, 4, 5, 6]


async def test_it_may_come_back_before_the_call_goes_on(
    cell: Cell, connect: Connect, mark: Mark
) -> None:
    arguments = {"to": 4, "mark": str(mark)}
    async with connect() as guest:
        counting = asyncio.create_task(
            guest.call_tool("count", arguments, progress_token="p")
        )
        await guest.hears(method("notifications/progress"), 2)
        for _ in range(3):
            await guest.wire.cut()
            await guest.wire.mend()
        mark.let_go()
        assert text_of(await counting) == "4 steps"
        assert guest.progress() == [1, 2, 3, 4]
