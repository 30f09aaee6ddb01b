"""The server is asked what it is. Spec: 2026-07-28 server/discover."""

from __future__ import annotations

from mcp_transport.protocol.peer import SERVER_INFO_KEY
from tests.interaction.conftest import Connect
from tests.interaction.matrix import Cell
from tests.interaction.served.settings import MCP


async def test_the_server_says_who_it_is(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        said = await guest.discover()
        assert said["supportedVersions"] == list(cell.door.binding.stateless)
        assert said["instructions"] == MCP["INSTRUCTIONS"]
        assert said["_meta"][SERVER_INFO_KEY]["name"] == MCP["NAME"]
        assert said["capabilities"]["tools"] == {"listChanged": True}
        assert {"prompts", "resources", "completions", "logging"} <= set(
            said["capabilities"]
        )


async def test_nothing_has_to_come_before_or_after(
    cell: Cell, connect: Connect
) -> None:
    async with connect() as guest:
        assert await guest.text("echo", text="a") == "a"
        assert await guest.discover() == await guest.discover()
