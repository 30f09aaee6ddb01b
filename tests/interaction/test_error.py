"""What goes wrong in a call. Spec: 2026-07-28 server/tools #error-handling."""

from __future__ import annotations

from mcp_transport.protocol.errors import INVALID_PARAMS
from tests.interaction.conftest import Connect
from tests.interaction.guest import text_of
from tests.interaction.matrix import Cell
from tests.interaction.served.catalogue import SECRET


async def test_a_tool_fails_in_its_own_words(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        result = await guest.call_tool("refuse")
        assert result["isError"] is True
        assert text_of(result) == "Try again with another colour."


async def test_a_crash_keeps_its_words_inside(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        result = await guest.call_tool("crash")
        assert result["isError"] is True
        assert SECRET not in str(result)
        assert "reference" in text_of(result)
        assert await guest.text("echo", text="on") == "on"


async def test_an_unknown_tool_is_the_clients_fault(
    cell: Cell, connect: Connect
) -> None:
    async with connect() as guest:
        for name in ("no_such_tool", "ECHO", ""):
            error = await guest.fails("tools/call", {"name": name, "arguments": {}})
            assert error.code == INVALID_PARAMS
            assert error.message == f"Unknown tool: {name}"
        assert await guest.text("echo", text="on") == "on"
