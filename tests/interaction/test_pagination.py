"""A list comes page by page. Spec: 2026-07-28 server/utilities/pagination."""

from __future__ import annotations

import pytest

from mcp_transport.protocol.errors import INVALID_PARAMS
from tests.interaction.conftest import Connect
from tests.interaction.matrix import Cell
from tests.interaction.served.catalogue import shelf
from tests.interaction.served.settings import PAGE_SIZE
from tests.wire.tokens import BOB


@pytest.mark.parametrize("kind", ["tools", "resources"])
async def test_the_pages_make_up_the_list(
    cell: Cell, connect: Connect, kind: str
) -> None:
    async with connect() as guest:
        pages = [await guest.request(f"{kind}/list")]
        while "nextCursor" in pages[-1]:
            following = {"cursor": pages[-1]["nextCursor"]}
            pages.append(await guest.request(f"{kind}/list", following))
    sizes = [len(page[kind]) for page in pages]
    whole = sum(entry.kind == kind for entry in shelf.entries())
    assert sizes[:-1] == [PAGE_SIZE] * (len(pages) - 1)
    assert sum(sizes) == whole > PAGE_SIZE
    names = {entry["name"] for page in pages for entry in page[kind]}
    assert len(names) == whole


async def test_a_cursor_is_good_for_its_own_list_and_caller(
    cell: Cell, connect: Connect
) -> None:
    async with connect() as guest:
        cursor = (await guest.request("tools/list"))["nextCursor"]
        for method, wrong in [
            ("tools/list", "made up"),
            ("tools/list", ""),
            ("tools/list", cursor[:-1]),
            ("resources/list", cursor),
        ]:
            error = await guest.fails(method, {"cursor": wrong})
            assert error.code == INVALID_PARAMS
    async with connect(BOB) as other:
        error = await other.fails("tools/list", {"cursor": cursor})
        assert error.code == INVALID_PARAMS
