"""A session is told that a list has changed. Spec: 2025-11-25 server/tools
#list-changed-notification.
"""

from __future__ import annotations

import pytest

from tests.interaction.conftest import Connect
from tests.interaction.guest import method
from tests.interaction.matrix import STDIO, Cell


@pytest.mark.parametrize("kind", ["tools", "prompts", "resources"])
async def test_it_hears_of_each_change_once(
    cell: Cell, connect: Connect, kind: str
) -> None:
    told = method(f"notifications/{kind}/list_changed")
    async with connect() as guest:
        for times in (1, 2):
            await guest.call_tool("change", {"kind": kind})
            assert len(await guest.hears(told, times)) == times


async def test_every_session_hears_of_it(cell: Cell, connect: Connect) -> None:
    """But those that another process serves alone, as with stdio."""
    told = method("notifications/tools/list_changed")
    async with connect() as guest, connect() as another:
        await guest.call_tool("change", {"kind": "tools"})
        await guest.hears(told)
        if cell.door is not STDIO:
            await another.hears(told)
