"""How far a call is. Spec: 2026-07-28 basic/patterns/progress."""

from __future__ import annotations

import asyncio

from mcp_transport.protocol.revisions import PLAIN
from tests.interaction.conftest import Connect
from tests.interaction.guest import Mark, method, text_of
from tests.interaction.matrix import Cell

PROGRESS = "notifications/progress"


async def test_each_step_is_told(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        result = await guest.call_tool("count", {"to": 3}, progress_token="p")
        assert text_of(result) == "3 steps"
        told = guest.told(PROGRESS)
    has_words = "message" in cell.revision.fields["ProgressParams"]
    for step, said in enumerate(told, 1):
        words = {"message": f"step {step}"} if has_words else {}
        assert said == {"progressToken": "p", "progress": step, "total": 3, **words}
    assert len(told) == 3


async def test_it_is_told_while_the_call_runs(
    cell: Cell, connect: Connect, mark: Mark
) -> None:
    async with connect() as guest:
        counting = asyncio.create_task(
            guest.call_tool("count", {"to": 2, "mark": str(mark)}, progress_token=7)
        )
        await guest.hears(method(PROGRESS))
        assert guest.progress() == [1]
        assert not counting.done()
        mark.let_go()
        assert text_of(await counting) == "2 steps"
        assert guest.progress() == [1, 2]


async def test_who_does_not_ask_is_not_told(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        assert await guest.text("count", to=3) == "3 steps"
        # In the plain dialect, who accepts events has asked.
        assert guest.progress() == ([1, 2, 3] if cell.revision is PLAIN else [])
