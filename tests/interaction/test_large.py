"""Messages that come in many pieces, both ways."""

from __future__ import annotations

import asyncio

from tests.interaction.conftest import Connect
from tests.interaction.matrix import Cell

PIECE = "0123456789é" * 10_000
TIMES = 8


async def test_nothing_of_them_is_lost(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        assert await guest.text("echo", text=PIECE, times=TIMES) == PIECE * TIMES


async def test_several_at_once_do_not_mix(cell: Cell, connect: Connect) -> None:
    pieces = [str(digit) * 100_000 for digit in range(4)]
    async with connect() as guest:
        said = await asyncio.gather(*(guest.text("echo", text=one) for one in pieces))
        assert said == pieces
