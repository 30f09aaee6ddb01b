"""What a tool returns, as a value. Spec: 2026-07-28 server/tools
#structured-content.
"""

from __future__ import annotations

import json

from tests.interaction.conftest import Connect
from tests.interaction.guest import text_of
from tests.interaction.matrix import Cell


async def test_an_object_is_itself(cell: Cell, connect: Connect) -> None:
    oslo = {"city": "Oslo", "height_m": 2.5}
    async with connect() as guest:
        result = await guest.call_tool("place", {"city": "Oslo"})
        assert result["structuredContent"] == oslo
        assert json.loads(text_of(result)) == oslo


async def test_a_list_is_wrapped_where_only_objects_may_be(
    cell: Cell, connect: Connect
) -> None:
    async with connect() as guest:
        result = await guest.call_tool("numbers", {"count": 3})
        whole = {"result": [0, 1, 2]} if cell.revision.object_output_only else [0, 1, 2]
        assert result["structuredContent"] == whole
        assert json.loads(text_of(result)) == [0, 1, 2]
        listed = {tool["name"]: tool for tool in await guest.list_tools()}
        root = "object" if cell.revision.object_output_only else "array"
        assert listed["numbers"]["outputSchema"]["type"] == root
