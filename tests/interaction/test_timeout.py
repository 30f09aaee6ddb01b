"""A call runs out of time. Spec: 2026-07-28 basic/patterns/cancellation #timeouts."""

from __future__ import annotations

from tests.interaction.conftest import Connect
from tests.interaction.guest import Mark, text_of
from tests.interaction.matrix import Cell


async def test_it_is_stopped_and_the_model_is_told(
    cell: Cell, connect: Connect, mark: Mark
) -> None:
    async with connect() as guest:
        result = await guest.call_tool("dawdle", {"mark": str(mark)})
        assert result["isError"] is True
        assert "did not finish within 0.2 s" in text_of(result)
        assert await mark.fate() == "cancelled"
        assert await guest.text("echo", text="on") == "on"
