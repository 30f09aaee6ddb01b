"""Blocks of every kind. Spec: 2026-07-28 server/tools #tool-result."""

from __future__ import annotations

from base64 import b64decode

from tests.interaction.conftest import Connect
from tests.interaction.matrix import Cell
from tests.interaction.served.catalogue import PNG, WAV

KINDS = ["text", "image", "audio", "resource_link", "resource"]


async def test_a_block_that_a_revision_lacks_is_said_by_another(
    cell: Cell, connect: Connect
) -> None:
    async with connect() as guest:
        blocks = (await guest.call_tool("everything"))["content"]
    assert len(blocks) == len(KINDS)
    for kind, block in zip(KINDS, blocks, strict=True):
        assert (block["type"] == kind) is (kind not in cell.revision.content)


async def test_nothing_of_it_is_lost(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        text, image, audio, link, resource = (await guest.call_tool("everything"))[
            "content"
        ]
    assert text["text"] == "words"
    assert b64decode(image["data"]) == PNG
    sound = audio["data"] if "data" in audio else audio["resource"]["blob"]
    assert b64decode(sound) == WAV
    assert "doc://one" in (link["uri"] if "uri" in link else link["text"])
    assert resource["resource"]["text"] == "abc"
