"""A call that waits holds up no other, and each has its own answer."""

from __future__ import annotations

import asyncio

from tests.interaction.conftest import Connect
from tests.interaction.guest import Mark
from tests.interaction.matrix import Cell

WORDS = [f"word {number}" for number in range(12)]


async def test_answers_come_as_they_are_ready(
    cell: Cell, connect: Connect, mark: Mark
) -> None:
    async with connect() as guest:
        holding = asyncio.create_task(guest.text("hold", mark=str(mark)))
        await mark.begun()
        said = await asyncio.gather(*(guest.text("echo", text=word) for word in WORDS))
        assert said == WORDS
        assert not holding.done()
        mark.let_go()
        assert await holding == "held"
