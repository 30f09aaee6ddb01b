"""A message over the limit, which each door refuses in its own way."""

from __future__ import annotations

from tests.interaction.conftest import Connect
from tests.interaction.matrix import Cell
from tests.interaction.served.settings import MAX_BODY_BYTES


async def test_it_is_refused(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        await guest.says(guest.call("x", "echo", text="x" * MAX_BODY_BYTES))
        assert await guest.refused() == cell.door.too_large
    async with connect() as another:
        assert await another.text("echo", text="on") == "on"


async def test_one_at_the_limit_is_taken(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        room = MAX_BODY_BYTES - 1000
        assert await guest.text("echo", text="x" * room) == "x" * room
        assert guest.wire.refused == []
