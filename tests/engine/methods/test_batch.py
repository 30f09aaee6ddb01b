from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.context import Context
from mcp_transport.engine.methods.batch import MAX_REQUESTS
from mcp_transport.engine.server import CallNext, Result, Server
from mcp_transport.protocol.errors import INVALID_PARAMS, METHOD_NOT_FOUND
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import PLAIN
from tests.engine.exchanges import (
    PATIENCE_S,
    Json,
    called,
    end_of,
    error,
    every_revision,
    notified,
    opened,
    result,
    said,
    serving,
    session_of,
    text_of,
)


async def responses(server: Server, *requests: Any, **options: Any) -> list[Json]:
    """Return the responses to requests that were sent as one."""
    params = {"requests": list(requests)}
    answered = await result(server, "batch", params, revision=PLAIN, **options)
    assert answered.keys() == {"responses"}
    found: list[Json] = answered["responses"]
    return found


def calling(name: str, **more: Any) -> Json:
    return {"method": "tools/call", "params": {"name": name}, **more}


async def test_each_is_answered_in_its_place() -> None:
    server = serving()
    named, plain, unknown, failing = await responses(
        server,
        {"jsonrpc": "2.0", "id": "mine", "method": "tools/list", "params": {}},
        {"method": "ping"},
        {"method": "no/such", "id": 7},
        {"method": "tools/call", "params": {"name": "missing"}},
    )
    assert named == {"jsonrpc": "2.0", "id": "mine", "result": {"tools": []}}
    assert plain == {"jsonrpc": "2.0", "id": "1#1", "result": {}}
    assert (unknown["id"], unknown["error"]["code"]) == (7, METHOD_NOT_FOUND)
    assert (failing["id"], failing["error"]["code"]) == ("1#3", INVALID_PARAMS)


async def test_those_without_an_id_are_told_apart_by_that_of_the_batch() -> None:
    ping = {"method": "ping"}
    answered = await responses(serving(), ping, ping, id="req-1")
    assert [one["id"] for one in answered] == ["req-1#0", "req-1#1"]


async def test_they_run_side_by_side() -> None:
    shelf, meeting = Shelf(), asyncio.Barrier(3)

    @shelf.tool
    async def meet() -> str:
        await meeting.wait()
        return "met"

    async with asyncio.timeout(PATIENCE_S):
        answered = await responses(serving(shelf), *[calling("meet")] * 3)
    assert [text_of(one["result"]) for one in answered] == ["met"] * 3


async def test_the_order_is_that_of_the_requests_whoever_is_ready_first() -> None:
    shelf, second_done = Shelf(), asyncio.Event()

    @shelf.tool
    async def last() -> str:
        await second_done.wait()
        return "last"

    @shelf.tool
    async def first() -> str:
        await asyncio.sleep(0)
        second_done.set()
        return "first"

    async with asyncio.timeout(PATIENCE_S):
        answered = await responses(serving(shelf), calling("last"), calling("first"))
    assert [text_of(one["result"]) for one in answered] == ["last", "first"]


async def test_what_is_said_on_the_way_is_left_out() -> None:
    shelf = Shelf()

    @shelf.tool
    async def talk(ctx: Context) -> str:
        ctx.progress(1)
        await asyncio.sleep(0)
        ctx.log("error", "no")
        await asyncio.sleep(0)
        ctx.progress(2)
        return "done"

    one = calling("talk")
    one["params"]["_meta"] = {"progressToken": 1}
    (answered,) = await responses(serving(shelf), one)
    assert text_of(answered["result"]) == "done"


async def test_hooks_see_the_batch_and_each_in_it() -> None:
    seen: list[str] = []

    async def hook(ctx: Context, call_next: CallNext) -> Result:
        seen.append(ctx.method)
        return await call_next(ctx)

    requests = [{"method": "ping"}, {"method": "tools/list"}]
    await responses(serving(hooks=[hook]), *requests)
    assert seen == ["batch", "ping", "tools/list"]


async def test_all_are_the_callers_and_the_sessions() -> None:
    server, session = serving(), session_of(PLAIN)
    level = {"method": "logging/setLevel", "params": {"level": "alert"}}
    assert len(await responses(server, level, session=session)) == 1
    assert session.peer is not None
    assert session.peer.log_level == "alert"


# What cannot be a batch.


@pytest.mark.parametrize(
    ("requests", "said"),
    [
        (None, "batch needs requests, a list that is not empty"),
        ([], "batch needs requests, a list that is not empty"),
        ({}, "batch needs requests, a list that is not empty"),
        ("ping", "batch needs requests, a list that is not empty"),
        ([{"method": "ping"}] * (MAX_REQUESTS + 1), "at most 100 requests a batch"),
        ([{}], "requests[0] needs method, a string"),
        ([{"method": "ping"}, None], "requests[1] needs method, a string"),
        ([{"method": 1}], "requests[0] needs method, a string"),
        ([["ping"]], "requests[0] needs method, a string"),
        ([{"method": "ping", "params": []}], "requests[0].params must be an object"),
        ([{"method": "ping", "params": None}], "requests[0].params must be an object"),
        ([{"method": "batch"}], "requests[0]: a batch holds no batch"),
        (
            [{"method": "ping", "id": None}],
            "requests[0].id must be a string or an integer",
        ),
        (
            [{"method": "ping", "id": True}],
            "requests[0].id must be a string or an integer",
        ),
        (
            [{"method": "ping", "id": 1.5}],
            "requests[0].id must be a string or an integer",
        ),
    ],
)
async def test_nothing_is_run_of_what_is_no_batch(requests: Any, said: str) -> None:
    ran: list[str] = []

    async def hook(ctx: Context, call_next: CallNext) -> Result:
        ran.append(ctx.method)
        return await call_next(ctx)

    params = {} if requests is None else {"requests": requests}
    server = serving(hooks=[hook])
    refused = await error(server, "batch", params, revision=PLAIN)
    assert refused == {"code": INVALID_PARAMS, "message": said}
    assert ran == ["batch"]


async def test_as_many_as_allowed_are_answered() -> None:
    answered = await responses(serving(), *[{"method": "ping"}] * MAX_REQUESTS)
    assert len(answered) == MAX_REQUESTS


@every_revision
async def test_no_revision_of_the_protocol_has_the_method(revision: Revision) -> None:
    params = {"requests": [{"method": "ping"}]}
    refused = await error(serving(), "batch", params, revision=revision)
    assert refused["code"] == METHOD_NOT_FOUND


# How one ends early.


def waiting() -> tuple[Shelf, asyncio.Event, list[str]]:
    shelf, gate, ended = Shelf(), asyncio.Event(), []

    @shelf.tool
    async def wait() -> str:
        try:
            await gate.wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        return "waited"

    return shelf, gate, ended


async def test_a_batch_that_is_left_ends_all_that_it_began() -> None:
    shelf, _, ended = waiting()
    server = serving(shelf)
    params = {"requests": [calling("wait"), {"method": "ping"}, calling("wait")]}
    exchange = opened(server, "batch", params, revision=PLAIN)
    assert len(server.calls) == 3
    exchange.leave()
    await end_of(exchange.call)
    assert await server.calls.drain(PATIENCE_S) == 0
    assert ended == ["cancelled"] * 2


async def test_one_of_a_batch_can_be_cancelled() -> None:
    """It has no response; the others have theirs."""
    shelf, gate, ended = waiting()
    server, session = serving(shelf), session_of(PLAIN)
    params = {"requests": [calling("wait", id="a"), calling("wait", id="b")]}
    exchange = opened(server, "batch", params, session=session)
    notified(server, session, "notifications/cancelled", requestId="a")
    gate.set()
    (message,) = await said(exchange)
    (answered,) = message["result"]["responses"]
    assert (answered["id"], text_of(answered["result"])) == ("b", "waited")
    assert ended == ["cancelled"]


async def test_ids_are_free_again_when_the_batch_is_done() -> None:
    shelf, gate, _ = waiting()
    gate.set()
    server, session = serving(shelf), session_of(PLAIN)
    for _ in range(2):
        (answered,) = await responses(server, calling("wait", id=5), session=session)
        assert text_of(answered["result"]) == "waited"
    assert text_of(await called(server, "wait", session=session, id=5)) == "waited"
