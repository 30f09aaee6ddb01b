"""What can be read. Spec: 2026-07-28 server/resources."""

from __future__ import annotations

from base64 import b64decode

from mcp_transport.protocol.errors import INTERNAL_ERROR
from tests.interaction.conftest import Connect
from tests.interaction.matrix import Cell
from tests.interaction.served.catalogue import PNG, SECRET, shelf

URIS = {entry.key for entry in shelf.entries() if entry.kind == "resources"}


async def test_every_resource_is_there(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        listed = {entry["uri"]: entry for entry in await guest.list_resources()}
    assert set(listed) == URIS
    assert listed["doc://one"]["mimeType"] == "text/plain"
    assert ("title" in listed["doc://one"]) is (
        "title" in cell.revision.fields["Resource"]
    )


async def test_text_and_bytes_are_read(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        (one,) = (await guest.read_resource("doc://one"))["contents"]
        assert (one["uri"], one["text"]) == ("doc://one", "abc")
        (picture,) = (await guest.read_resource("doc://picture"))["contents"]
        assert picture["mimeType"] == "image/png"
        assert b64decode(picture["blob"]) == PNG
        (empty,) = (await guest.read_resource("doc://empty"))["contents"]
        assert empty["text"] == ""


async def test_what_is_not_there_is_named(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        error = await guest.fails("resources/read", {"uri": "doc://none"})
        assert error.code == cell.revision.resource_not_found
        assert error.data == {"uri": "doc://none"}


async def test_a_crash_keeps_its_words_inside(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        error = await guest.fails("resources/read", {"uri": "doc://broken"})
        assert error.code == INTERNAL_ERROR
        assert SECRET not in error.message
