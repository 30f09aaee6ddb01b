from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any

import pytest
from pydantic import BaseModel

from mcp_transport.engine.caller import ANONYMOUS, Caller
from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.context import Context
from mcp_transport.engine.errors import ResourceNotFound, ToolError
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.threads import Threads
from mcp_transport.engine.tool import ToolResult
from mcp_transport.protocol.content import (
    Audio,
    EmbeddedResource,
    Image,
    ResourceLink,
    Text,
)
from mcp_transport.protocol.errors import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    ProtocolError,
)
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL, REVISIONS
from tests.engine.exchanges import (
    PATIENCE_S,
    Json,
    called,
    end_of,
    error,
    every_revision,
    failure_of,
    opened,
    result,
    said,
    serving,
    text_of,
)

OLDEST = next(iter(REVISIONS.values()))


class Order(BaseModel):
    id: int


def shop() -> Shelf:
    """Return a shelf with a tool for each way of giving and of failing."""
    shelf = Shelf()

    @shelf.tool(title="An order", icons=[{"src": "https://x/i.png"}], meta={"m": 1})
    def order(id: int) -> Order:
        """Return an order."""
        return Order(id=id)

    @shelf.tool(read_only=True)
    async def total() -> int:
        return 7

    @shelf.tool
    def lines() -> list[Order]:
        return [Order(id=1)]

    @shelf.tool
    def refuse() -> str:
        raise ToolError("Out of tea: order coffee.")

    @shelf.tool
    async def crash() -> str:
        raise ValueError("a secret")

    @shelf.tool
    def leave() -> str:
        sys.exit("a secret")

    @shelf.tool
    def unsayable() -> Any:
        return {"a": object()}

    @shelf.tool
    def unpromised() -> int:
        return "a secret"  # type: ignore[return-value]

    @shelf.tool
    def exhausted() -> int:
        return next(iter(()))

    @shelf.tool
    async def unwilling() -> str:
        raise asyncio.CancelledError("a secret")

    return shelf


# Listing.


@every_revision
async def test_a_list_says_what_the_revision_knows(revision: Revision) -> None:
    found = await result(serving(shop()), "tools/list", revision=revision)
    tools = {tool["name"]: tool for tool in found["tools"]}
    assert list(tools) == sorted(tools)
    known = revision.fields["Tool"]
    complete = {
        "name": "order",
        "title": "An order",
        "description": "Return an order.",
        "inputSchema": {
            "type": "object",
            "properties": {"id": {"type": "integer"}},
            "required": ["id"],
            "additionalProperties": False,
        },
        "outputSchema": {
            "type": "object",
            "properties": {"id": {"type": "integer"}},
            "required": ["id"],
        },
        "icons": [{"src": "https://x/i.png"}],
        "_meta": {"m": 1},
    }
    assert tools["order"] == {k: v for k, v in complete.items() if k in known}
    assert tools["total"].get("annotations") == (
        {"readOnlyHint": True} if "annotations" in known else None
    )


@every_revision
async def test_output_that_is_no_object_is_wrapped_where_it_must_be(
    revision: Revision,
) -> None:
    server = serving(shop())
    listed = await result(server, "tools/list", revision=revision)
    tools = {tool["name"]: tool for tool in listed["tools"]}
    for name, schema, value in [
        ("total", {"type": "integer"}, 7),
        ("lines", tools["lines"].get("outputSchema"), [{"id": 1}]),
    ]:
        given = await called(server, name, revision=revision)
        assert text_of(given) == ("7" if name == "total" else '[{"id":1}]')
        declared = tools[name].get("outputSchema")
        if "structuredContent" not in revision.fields["CallToolResult"]:
            assert declared is None
            assert "structuredContent" not in given
        elif revision.object_output_only:
            assert declared["type"] == "object"
            assert declared["required"] == ["result"]
            assert declared["properties"].keys() == {"result"}
            assert given["structuredContent"] == {"result": value}
        else:
            assert declared == schema
            assert declared["type"] != "object"
            assert given["structuredContent"] == value


@every_revision
async def test_an_object_goes_out_as_it_is(revision: Revision) -> None:
    given = await called(serving(shop()), "order", {"id": 3}, revision=revision)
    assert text_of(given) == '{"id":3}'
    if "structuredContent" in revision.fields["CallToolResult"]:
        assert given["structuredContent"] == {"id": 3}
    else:
        assert given.keys() == {"content"}


# Content.


@every_revision
async def test_content_is_said_in_kinds_that_the_revision_has(
    revision: Revision,
) -> None:
    shelf = Shelf()

    @shelf.tool
    def everything() -> Any:
        return [
            Text("t", annotations={"priority": 1, "lastModified": "x"}, meta={"m": 1}),
            Image(b"i", "image/png"),
            Audio(b"a", "audio/wav"),
            ResourceLink("docs://a", "a", title="A", description="About a."),
            EmbeddedResource("docs://b", text="b", meta={"m": 2}),
        ]

    found = await called(serving(shelf), "everything", revision=revision)
    text, image, audio, link, embedded = found["content"]
    modern = "_meta" in revision.fields["text"]
    assert text == {
        "type": "text",
        "text": "t",
        "annotations": {"priority": 1, **({"lastModified": "x"} if modern else {})},
        **({"_meta": {"m": 1}} if modern else {}),
    }
    assert image == {"type": "image", "data": "aQ==", "mimeType": "image/png"}
    resource: Json = {"uri": "docs://b", "text": "b"}
    if modern:
        resource["_meta"] = {"m": 2}
    assert embedded == {"type": "resource", "resource": resource}
    if "audio" in revision.fields:
        assert audio == {"type": "audio", "data": "YQ==", "mimeType": "audio/wav"}
    else:
        assert audio == {
            "type": "resource",
            "resource": {
                "uri": "audio:inline",
                "mimeType": "audio/wav",
                "blob": "YQ==",
            },
        }
    if "resource_link" in revision.fields:
        assert link["type"] == "resource_link"
        assert (link["uri"], link["title"]) == ("docs://a", "A")
    else:
        assert link == {"type": "text", "text": "[A](docs://a): About a."}


# Failing.


@every_revision
async def test_a_tools_own_words_reach_the_model(revision: Revision) -> None:
    found = await called(serving(shop()), "refuse", revision=revision)
    assert failure_of(found) == "Out of tea: order coffee."


@pytest.mark.parametrize(
    "name",
    ["crash", "leave", "unsayable", "unpromised", "exhausted", "unwilling"],
)
@every_revision
async def test_anything_else_stays_inside_under_a_reference(
    revision: Revision, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with asyncio.timeout(PATIENCE_S):
        found = await called(serving(shop()), name, revision=revision)
    words = failure_of(found)
    reference = words.removeprefix("The tool failed (reference ").removesuffix(").")
    assert len(reference) == 8
    assert f"tool {name} failed, reference {reference}" in caplog.text


async def test_what_the_application_explains_is_said() -> None:
    def explain(failure: Exception) -> str | None:
        return "It is closed." if isinstance(failure, ValueError) else None

    server = serving(shop(), explain=explain)
    assert failure_of(await called(server, "crash")) == "It is closed."
    assert "reference" in failure_of(await called(server, "leave"))


async def test_a_missing_resource_is_a_tools_failure_like_any_other() -> None:
    shelf = Shelf()

    @shelf.tool
    def look() -> str:
        raise ResourceNotFound("a secret")

    assert "reference" in failure_of(await called(serving(shelf), "look"))


async def test_a_protocol_error_of_a_tool_is_one() -> None:
    shelf = Shelf()

    @shelf.tool
    def deny() -> str:
        raise ProtocolError(-32099, "Pay first", {"price": 1})

    assert await error(serving(shelf), "tools/call", {"name": "deny"}) == {
        "code": -32099,
        "message": "Pay first",
        "data": {"price": 1},
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "id: missing"),
        ({"id": "x"}, "id: should be a valid integer"),
        ({"idd": 1}, 'idd: unknown argument; did you mean "id"?'),
        ({"id": None}, "id: "),
    ],
)
@every_revision
async def test_arguments_that_do_not_fit_are_told_in_band(
    revision: Revision, arguments: Json, words: str
) -> None:
    """Spec: SEP-1303: the model can correct itself."""
    found = await called(serving(shop()), "order", arguments, revision=revision)
    assert words in failure_of(found)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "tools/call needs name, a string"),
        ({"name": None}, "tools/call needs name, a string"),
        ({"name": ["order"]}, "tools/call needs name, a string"),
        ({"name": "order", "arguments": []}, "arguments must be an object"),
        ({"name": "order", "arguments": None}, "arguments must be an object"),
        ({"name": "order", "arguments": "{}"}, "arguments must be an object"),
        ({"name": "ordre"}, "Unknown tool: ordre"),
        ({"name": ""}, "Unknown tool: "),
        ({"name": "x" * 1000}, "Unknown tool: " + "x" * 128),
    ],
)
@every_revision
async def test_a_malformed_call_is_the_peers_fault(
    revision: Revision, params: Json, words: str
) -> None:
    assert await error(serving(shop()), "tools/call", params, revision=revision) == {
        "code": INVALID_PARAMS,
        "message": words,
    }


async def test_arguments_may_be_left_out() -> None:
    found = await result(serving(shop()), "tools/call", {"name": "total"})
    assert text_of(found) == "7"


async def test_a_tool_that_the_caller_may_not_use_is_unknown() -> None:
    shelf = Shelf()

    @shelf.tool(permission="shop.view", scope="shop:read")
    def guarded() -> str:
        return "seen"

    server = serving(shelf)
    narrow = Caller("x", frozenset({"tools"}), frozenset({"shop.view"}))
    refusals = {
        ANONYMOUS: {"code": INVALID_PARAMS, "message": "Unknown tool: guarded"},
        narrow: {"code": 403, "message": "this needs the scope shop:read"},
    }
    for caller, refusal in refusals.items():
        assert (
            await error(server, "tools/call", {"name": "guarded"}, caller=caller)
            == refusal
        )
        assert (await result(server, "tools/list", caller=caller))["tools"] == []
    reader = Caller("x", frozenset({"shop"}), frozenset({"shop.view"}))
    assert text_of(await called(server, "guarded", caller=reader)) == "seen"


async def test_metadata_of_a_result_joins_that_of_the_server() -> None:
    shelf = Shelf()

    @shelf.tool
    def told() -> ToolResult[Order]:
        return ToolResult("One.", Order(id=1), meta={"shop/x": 1})

    for revision in (OLDEST, LATEST_STATEFUL, LATEST):
        found = await called(serving(shelf), "told", revision=revision)
        assert found["_meta"] == {"shop/x": 1}
        assert text_of(found) == "One."


# Deadlines.


@pytest.mark.parametrize("own", [True, False])
@every_revision
async def test_a_tool_has_its_time_and_no_more(revision: Revision, own: bool) -> None:
    ended = []
    shelf = Shelf()

    @shelf.tool(**({"timeout_s": 0.001} if own else {}))
    async def slow() -> str:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(1)
        return "never"

    server = serving(shelf, limits=Limits(call_timeout_s=60 if own else 0.001))
    found = await called(server, "slow", revision=revision)
    assert failure_of(found) == (
        "The tool did not finish within 0.001 s and was stopped."
    )
    assert await server.calls.drain(PATIENCE_S) == 0
    assert ended == [1]


async def test_a_plain_tool_that_is_late_keeps_its_thread_and_says_no_more() -> None:
    began, may_end = threading.Event(), threading.Event()
    seen = []
    shelf = Shelf()

    @shelf.tool(timeout_s=60)
    def slow(ctx: Context) -> str:
        began.set()
        may_end.wait(PATIENCE_S)
        seen.append(ctx.cancelled)
        ctx.progress(1)
        return "too late"

    threads = Threads(1)
    try:
        server = serving(shelf, run_sync=threads)
        params = {"name": "slow", "_meta": {"progressToken": "p"}}
        exchange = opened(server, "tools/call", params)
        assert await asyncio.to_thread(began.wait, PATIENCE_S)
        # A deadline that comes surely after the thread began.
        exchange.call._expire()
        (message,) = await said(exchange)
        assert "did not finish within 60 s" in text_of(message["result"])
        # The only thread is still taken.
        next_call = asyncio.create_task(threads(lambda: list(seen)))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not next_call.done()
        may_end.set()
        assert await next_call == [True]
        assert exchange.take() == []
    finally:
        may_end.set()
        threads.close()


async def test_a_tool_that_ignores_its_end_is_not_heard_again() -> None:
    shelf = Shelf()

    @shelf.tool(timeout_s=0.001)
    async def stubborn() -> str:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        return "too late"

    server = serving(shelf)
    exchange = opened(server, "tools/call", {"name": "stubborn"})
    (message,) = await said(exchange)
    assert message["result"]["isError"] is True
    await end_of(exchange.call)
    assert exchange.take() == []


# Headers that mirror arguments.


def mirrored() -> Shelf:
    shelf = Shelf()
    schema = {
        "type": "object",
        "properties": {"region": {"type": "string", "x-mcp-header": "Region"}},
    }

    @shelf.tool(input_schema=schema)
    def where(arguments: Json) -> str:
        return str(arguments.get("region"))

    return shelf


@pytest.mark.parametrize(
    ("headers", "fits"),
    [
        ({"mcp-param-region": "eu"}, True),
        ({"mcp-param-region": "us"}, False),
        ({}, False),
        (None, True),
    ],
)
@every_revision
async def test_a_mirrored_header_is_held_against_its_argument(
    revision: Revision, headers: dict[str, str] | None, fits: bool
) -> None:
    server = serving(mirrored())
    params = {"name": "where", "arguments": {"region": "eu"}}
    if fits or not revision.mirrors_headers:
        found = await result(
            server, "tools/call", params, revision=revision, headers=headers
        )
        assert text_of(found) == "eu"
    else:
        found = await error(
            server, "tools/call", params, revision=revision, headers=headers
        )
        assert found["code"] == HEADER_MISMATCH
