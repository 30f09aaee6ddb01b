"""JSON that is no message. Spec: JSON-RPC 2.0 section 5.1."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_transport.protocol.errors import INVALID_REQUEST
from tests.interaction.conftest import Connect
from tests.interaction.guest import error
from tests.interaction.matrix import Cell


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({}, False),
        ("text", False),
        ({"jsonrpc": "2.0", "id": "x"}, True),
        ({"jsonrpc": "1.0", "id": "x", "method": "tools/list"}, True),
        ({"jsonrpc": "2.0", "id": "x", "method": "tools/list", "params": []}, True),
        ({"jsonrpc": "2.0", "id": None, "method": "tools/list"}, False),
        ({"jsonrpc": "2.0", "id": 1.5, "method": "tools/list"}, False),
    ],
)
async def test_its_id_is_named_where_it_has_one(
    cell: Cell, connect: Connect, wrong: Any, named: bool
) -> None:
    async with connect() as guest:
        await guest.says(wrong)
        (said,) = await guest.hears(error(INVALID_REQUEST))
        assert said.get("id") == ("x" if named else None)
        assert await guest.text("echo", text="on") == "on"
