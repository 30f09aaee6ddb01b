"""Hands are shaken. Spec: 2025-11-25 basic/lifecycle #initialization."""

from __future__ import annotations

import json

from mcp_transport.protocol.messages import encode_request
from mcp_transport.protocol.revisions import LATEST_STATEFUL
from tests.interaction.conftest import Connect, Wired
from tests.interaction.matrix import Cell
from tests.interaction.served.settings import MCP


async def test_the_server_says_who_it_is(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        server, fields = guest.server, cell.revision.fields
        assert server["protocolVersion"] == cell.revision.name
        assert server["serverInfo"]["name"] == MCP["NAME"]
        assert server["instructions"] == MCP["INSTRUCTIONS"]
        capabilities = server["capabilities"]
        assert capabilities["tools"] == {"listChanged": True}
        assert capabilities["prompts"] == {"listChanged": True}
        assert capabilities["resources"] == {"listChanged": True, "subscribe": True}
        assert capabilities["logging"] == {}
        known = "completions" in fields["ServerCapabilities"]
        assert ("completions" in capabilities) is known


async def test_a_version_that_is_not_served_is_answered_with_the_latest(
    cell: Cell, wired: Wired
) -> None:
    hello = {"protocolVersion": "1999-12-31", "capabilities": {}}
    async with wired() as wire:
        await wire.start()
        await wire.send(encode_request(1, "initialize", hello))
        reply = json.loads(await wire.receive() or b"")
        assert reply["result"]["protocolVersion"] == LATEST_STATEFUL.name
        await wire.close()
