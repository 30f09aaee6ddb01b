"""A tool needs what the client did not declare. Spec: 2026-07-28 basic/index
#missing-required-client-capability.
"""

from __future__ import annotations

from typing import Any

import pytest

from mcp_transport.protocol.errors import MISSING_CLIENT_CAPABILITY
from tests.interaction.conftest import Connect
from tests.interaction.guest import text_of
from tests.interaction.matrix import Cell

NEEDED: dict[str, dict[str, Any]] = {
    "ask_user": {"elicitation": {"form": {}}},
    "ask_page": {"elicitation": {"url": {}}},
    "ask_model": {"sampling": {}},
    "ask_roots": {"roots": {}},
}


@pytest.mark.parametrize("tool", NEEDED)
async def test_nobody_is_asked(cell: Cell, connect: Connect, tool: str) -> None:
    async with connect() as guest:
        if cell.revision.stateful:
            result = await guest.call_tool(tool)
            assert result["isError"] is True
            assert f"capability {next(iter(NEEDED[tool]))}" in text_of(result)
        else:
            error = await guest.fails("tools/call", {"name": tool, "arguments": {}})
            assert error.code == MISSING_CLIENT_CAPABILITY
            assert error.data == {"requiredCapabilities": NEEDED[tool]}
        assert guest.heard(lambda said: {"id", "method"} <= said.keys()) == []
