"""What is no JSON. Spec: JSON-RPC 2.0 section 5.1."""

from __future__ import annotations

from mcp_transport.protocol.errors import PARSE_ERROR
from tests.interaction.conftest import Connect
from tests.interaction.guest import error
from tests.interaction.matrix import Cell

NONSENSE = [
    b"{",
    b"nonsense",
    b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"a": NaN}}',
    b'{"jsonrpc": "2.0", "id": 1, "id": 2, "method": "ping"}',
    b"[" * 100 + b"]" * 100,
]


async def test_it_is_answered_and_the_connection_goes_on(
    cell: Cell, connect: Connect
) -> None:
    async with connect() as guest:
        for times, nonsense in enumerate(NONSENSE, 1):
            await guest.babbles(nonsense)
            said = await guest.hears(error(PARSE_ERROR), times)
            assert "id" not in said[-1]
            assert await guest.text("echo", text="on") == "on"
