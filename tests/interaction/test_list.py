"""The tools there are. Spec: 2026-07-28 server/tools #listing-tools."""

from __future__ import annotations

from tests.interaction.conftest import Connect
from tests.interaction.matrix import Cell
from tests.interaction.served.catalogue import shelf

NAMES = {entry.key for entry in shelf.entries() if entry.kind == "tools"}


async def test_every_tool_is_there_once(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        tools = await guest.list_tools()
        names = [tool["name"] for tool in tools]
        assert len(names) == len(NAMES)
        assert set(names) == NAMES
        assert await guest.list_tools() == tools


async def test_a_tool_says_what_it_takes(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        listed = {tool["name"]: tool for tool in await guest.list_tools()}
        echo = listed["echo"]
        assert echo["description"] == "Say it again."
        schema = echo["inputSchema"]
        assert schema["required"] == ["text"]
        assert schema["properties"]["times"]["type"] == "integer"
        assert schema["properties"]["text"]["description"] == "what to say."
        has_output = "outputSchema" in cell.revision.fields["Tool"]
        assert ("outputSchema" in listed["place"]) is has_output
