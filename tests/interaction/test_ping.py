"""Each side may ask whether the other is there. Spec: 2025-11-25
basic/utilities/ping.
"""

from __future__ import annotations

from tests.interaction.conftest import Connect
from tests.interaction.guest import Mark
from tests.interaction.matrix import Cell


async def test_it_is_answered_at_once(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        assert await guest.ping() == {}


async def test_it_is_answered_while_a_call_runs(
    cell: Cell, connect: Connect, mark: Mark
) -> None:
    async with connect() as guest:
        await guest.says(guest.call("held", "hold", mark=str(mark)))
        await mark.begun()
        assert await guest.ping() == {}
        mark.let_go()
        assert await mark.fate() == "finished"
