"""Tools, resources and prompts may ask for the client's roots. Spec: 2026-07-28
client/roots.
"""

from __future__ import annotations

import json

from tests.interaction.conftest import Connect
from tests.interaction.matrix import Cell

ROOTS = [{"uri": "file:///home", "name": "home"}, {"uri": "file:///srv"}]


async def test_a_tool_may_ask(cell: Cell, connect: Connect) -> None:
    async with connect(roots=ROOTS) as guest:
        uris = json.loads(await guest.text("ask_roots"))
    assert uris == [root["uri"] for root in ROOTS]


async def test_a_resource_may_ask(cell: Cell, connect: Connect) -> None:
    async with connect(roots=ROOTS) as guest:
        (read,) = (await guest.read_resource("doc://root"))["contents"]
    assert read["text"] == "file:///home"


async def test_a_prompt_may_ask(cell: Cell, connect: Connect) -> None:
    async with connect(roots=ROOTS) as guest:
        (said,) = (await guest.get_prompt("ask_first"))["messages"]
    assert said["content"]["text"] == "file:///home"
