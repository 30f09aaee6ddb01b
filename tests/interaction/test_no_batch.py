"""Several messages at once, where there are no batches. Spec: 2025-06-18 changelog."""

from __future__ import annotations

from mcp_transport.protocol.errors import INVALID_REQUEST
from tests.interaction.conftest import Connect
from tests.interaction.guest import error
from tests.interaction.matrix import Cell


async def test_none_of_them_is_taken(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        calls = [guest.call(id, "echo", text=id) for id in ("a", "b")]
        for times, batch in enumerate((calls, calls[:1], []), 1):
            await guest.says(batch)
            said = await guest.hears(error(INVALID_REQUEST), times)
            assert len(said) == times
            assert "id" not in said[-1]
        assert await guest.text("echo", text="on") == "on"
