from __future__ import annotations

from typing import Any

import pytest

from mcp_transport.engine.caller import ANONYMOUS, Caller
from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.server import Server
from mcp_transport.engine.tool import Tool
from mcp_transport.protocol.errors import INVALID_PARAMS
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.signing import Signer
from tests.engine.exchanges import (
    Json,
    error,
    every_revision,
    every_stateless,
    result,
    serving,
)

LISTS = {
    "tools/list": "tools",
    "prompts/list": "prompts",
    "resources/list": "resources",
    "resources/templates/list": "resourceTemplates",
}
NAMES = ["a", "b", "c", "d", "e"]
MINE = Caller("mine", frozenset({"*"}))
THEIRS = Caller("theirs", frozenset({"*"}))


def answer() -> str:
    return "42"


def item(pk: str) -> str:
    return pk


def paged(size: int = 2, **options: Any) -> Server:
    shelf = Shelf()
    for name in reversed(NAMES):
        shelf.tool(name=name)(answer)
        shelf.prompt(name=name)(answer)
        shelf.resource(f"docs://{name}", name=name)(answer)
        shelf.resource(f"docs://{name}/{{pk}}", name=name)(item)
    return serving(shelf, limits=Limits(page_size=size), **options)


async def first_cursor(server: Server, method: str, **options: Any) -> str:
    found = await result(server, method, **options)
    cursor: str = found["nextCursor"]
    return cursor


@pytest.mark.parametrize("method", LISTS)
@every_revision
async def test_pages_follow_each_other_to_the_end(
    revision: Revision, method: str
) -> None:
    server, pages = paged(), []
    params: Json = {}
    for _ in range(3):
        found = await result(server, method, params, revision=revision)
        pages.append([entry["name"] for entry in found[LISTS[method]]])
        params = {"cursor": found.get("nextCursor")}
    assert pages == [["a", "b"], ["c", "d"], ["e"]]
    assert params == {"cursor": None}


@pytest.mark.parametrize("method", LISTS)
@every_revision
async def test_a_list_that_fits_has_no_cursor(revision: Revision, method: str) -> None:
    for server in (paged(5), serving()):
        found = await result(server, method, revision=revision)
        assert "nextCursor" not in found
    assert found[LISTS[method]] == []


@every_stateless
async def test_a_list_says_how_long_it_keeps(revision: Revision) -> None:
    for ttl_ms in (0, 60_000):
        server = paged(list_ttl_ms=ttl_ms)
        cursor = await first_cursor(server, "tools/list", revision=revision)
        for params in ({}, {"cursor": cursor}):
            found = await result(server, "tools/list", params, revision=revision)
            assert (found["ttlMs"], found["cacheScope"]) == (ttl_ms, "private")


@pytest.mark.parametrize("cursor", ["", "x", "a", 5, [], {}, True, "v1.a.b"])
@every_revision
async def test_what_is_no_cursor_is_refused(revision: Revision, cursor: Any) -> None:
    params = {"cursor": cursor}
    assert await error(paged(), "tools/list", params, revision=revision) == {
        "code": INVALID_PARAMS,
        "message": "Invalid cursor",
    }


async def test_a_cursor_belongs_to_its_caller() -> None:
    server = paged()
    cursor = await first_cursor(server, "tools/list", caller=MINE)
    params = {"cursor": cursor}
    found = await result(server, "tools/list", params, caller=MINE)
    assert [tool["name"] for tool in found["tools"]] == ["c", "d"]
    found = await error(server, "tools/list", params, caller=THEIRS)
    assert found["code"] == INVALID_PARAMS


async def test_a_cursor_belongs_to_its_list() -> None:
    server = paged()
    for method in LISTS:
        cursor = await first_cursor(server, method)
        for other in set(LISTS) - {method}:
            found = await error(server, other, {"cursor": cursor})
            assert found["message"] == "Invalid cursor"


async def test_a_cursor_belongs_to_the_servers_with_its_key() -> None:
    cursor = await first_cursor(paged(), "tools/list")
    assert await result(paged(), "tools/list", {"cursor": cursor})
    strange = paged(signer=Signer([b"another key of some bytes"]))
    found = await error(strange, "tools/list", {"cursor": cursor})
    assert found["message"] == "Invalid cursor"


async def test_a_page_goes_on_though_the_list_changed() -> None:
    shelf = Shelf()
    for name in NAMES:
        shelf.tool(name=name)(answer)
    server = serving(shelf, limits=Limits(page_size=2))
    params: Json = {"cursor": await first_cursor(server, "tools/list")}
    shelf.remove("tools", "b")
    shelf.remove("tools", "a")
    shelf.add(Tool.of(answer, name="bb"))
    found = await result(server, "tools/list", params)
    assert [tool["name"] for tool in found["tools"]] == ["bb", "c"]


async def test_callers_share_what_is_not_their_own() -> None:
    """Pages are kept encoded; the cursor in them is each caller's."""
    server = paged()
    mine = await result(server, "tools/list", caller=MINE)
    theirs = await result(server, "tools/list", caller=THEIRS)
    assert mine["tools"] == theirs["tools"]
    assert mine["nextCursor"] != theirs["nextCursor"]
    again = await result(server, "tools/list", caller=MINE)
    assert again == mine


async def test_what_a_caller_may_not_use_makes_no_gap() -> None:
    shelf = Shelf()
    for name in NAMES:
        permission = "shop.view" if name in "bd" else None
        shelf.tool(name=name, permission=permission)(answer)
    server = serving(shelf, limits=Limits(page_size=2))
    found = await result(server, "tools/list", caller=ANONYMOUS)
    assert [tool["name"] for tool in found["tools"]] == ["a", "c"]
    params = {"cursor": found["nextCursor"]}
    found = await result(server, "tools/list", params, caller=ANONYMOUS)
    assert [tool["name"] for tool in found["tools"]] == ["e"]
