"""How much of a server one caller may have."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.exchange import Exchange
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.quotas import Quotas
from mcp_transport.engine.rates import Rate
from mcp_transport.engine.server import Server
from mcp_transport.protocol.errors import TOO_MANY_REQUESTS, UNAVAILABLE
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import LATEST
from tests.engine.counting import CountedOnce
from tests.engine.exchanges import (
    Json,
    called,
    end_of,
    error,
    every_revision,
    every_stateful,
    every_stateless,
    next_of,
    opened,
    result,
    said,
    serving,
    session_of,
)

EVERYTHING = frozenset({"*"})
ADA = Caller("ada", EVERYTHING)
BOB = Caller("bob", EVERYTHING)
TOO_OFTEN = {
    "code": TOO_MANY_REQUESTS,
    "message": "more than 1/m requests",
    "data": {"retryAfter": 7},
}


def shop(**options: Any) -> tuple[Server, asyncio.Event]:
    """Return a server whose tool ``wait`` ends when the event is set."""
    shelf, done = Shelf(), asyncio.Event()

    @shelf.tool
    async def wait() -> str:
        await done.wait()
        return "done"

    @shelf.tool
    async def at_once() -> str:
        return "done"

    @shelf.tool(rate="1/m")
    async def rarely() -> str:
        return "done"

    return serving(shelf, **options), done


def waiting(server: Server, caller: Caller = ADA, **options: Any) -> Exchange:
    call = {"name": "wait", "arguments": {}}
    exchange = opened(server, "tools/call", call, caller=caller, **options)
    assert not exchange.done
    return exchange


def listening(server: Server, caller: Caller = ADA) -> Exchange:
    params = {"notifications": {"toolsListChanged": True}}
    return opened(server, "subscriptions/listen", params, caller=caller)


async def refused(server: Server, caller: Caller = ADA, **options: Any) -> Json:
    call = {"name": "wait", "arguments": {}}
    return await error(server, "tools/call", call, caller=caller, **options)


def full(count: int, kind: str = "calls") -> Json:
    return {
        "code": TOO_MANY_REQUESTS,
        "message": f"{count} {kind} are open already",
        "data": {"retryAfter": 1},
    }


# Calls in flight.


@every_revision
async def test_one_caller_has_so_many_calls_running(revision: Revision) -> None:
    server, done = shop(limits=Limits(max_calls=2))
    # Each in a session of its own, where there are any.
    running = [waiting(server, revision=revision) for _ in range(2)]
    assert await refused(server, revision=revision) == full(2)
    others = [waiting(server, BOB, revision=revision) for _ in range(2)]
    assert await refused(server, BOB, revision=revision) == full(2)
    done.set()
    for exchange in running + others:
        (message,) = await said(exchange)
        assert message["result"]["content"][0]["text"] == "done"
        await end_of(exchange.call)
    assert await called(server, "wait", revision=revision, caller=ADA)
    assert len(server.calls) == 0


@pytest.mark.parametrize("own", [1, 3])
async def test_a_credentials_own_bound_stands_for_the_servers(own: int) -> None:
    server, done = shop(limits=Limits(max_calls=2))
    caller = Caller("ada", EVERYTHING, max_calls=own)
    running = [waiting(server, caller) for _ in range(own)]
    assert await refused(server, caller) == full(own)
    done.set()
    for exchange in running:
        await said(exchange)


async def test_a_call_that_does_not_wait_takes_no_room() -> None:
    server, done = shop(limits=Limits(max_calls=1))
    for _ in range(5):
        at_once = opened(server, "tools/call", {"name": "at_once"}, caller=ADA)
        assert at_once.done
        assert server.calls.held(("ada", "calls")) == 0
    running = waiting(server)
    assert server.calls.held(("ada", "calls")) == 1
    done.set()
    await said(running)


async def test_a_call_that_was_cancelled_makes_room() -> None:
    server, _ = shop(limits=Limits(max_calls=1))
    gone = waiting(server)
    gone.leave()
    await end_of(gone.call)
    again = waiting(server)
    again.leave()
    await end_of(again.call)


@every_stateless
async def test_streams_and_calls_do_not_take_each_others_room(
    revision: Revision,
) -> None:
    server, done = shop(limits=Limits(max_calls=1, max_streams=2))
    streams = [listening(server) for _ in range(2)]
    (message,) = await said(listening(server))
    assert message["error"] == full(2, "streams")
    others = listening(server, BOB)
    running = waiting(server)
    assert await refused(server) == full(1)
    for stream in (*streams, others):
        assert "acknowledged" in (await next_of(stream))["method"]
    server.end_streams()
    for stream in streams:
        await said(stream)
        await end_of(stream.call)
    again = listening(server)
    assert "acknowledged" in (await next_of(again))["method"]
    server.end_streams()
    done.set()
    for exchange in (others, again, running):
        await said(exchange)


# Rates.


@every_revision
async def test_every_request_counts_for_the_caller(revision: Revision) -> None:
    counts = CountedOnce()
    server, _ = shop(quotas=Quotas(counts, per_caller=Rate(3, 60)))
    rated = Caller("bob", EVERYTHING, rate=Rate(1, 60))
    for _ in range(3):
        await result(server, "tools/list", revision=revision, caller=ADA)
    await called(server, "at_once", revision=revision, caller=rated)
    assert (await refused(server, revision=revision))["code"] == TOO_MANY_REQUESTS
    assert await refused(server, rated, revision=revision) == TOO_OFTEN
    assert len(server.calls) == 0
    assert counts.spent == {("caller", "ada", "3/m"): 4, ("caller", "bob", "1/m"): 2}


@every_stateful
async def test_every_request_counts_for_its_session(revision: Revision) -> None:
    server, _ = shop(quotas=Quotas(CountedOnce(), per_session=Rate(1, 60)))
    one, other = session_of(revision, ADA), session_of(revision, ADA)
    for session in (one, other):
        await result(server, "ping", session=session)
        assert await error(server, "ping", session=session) == TOO_OFTEN


@every_revision
async def test_a_tools_rate_is_that_of_each_caller(revision: Revision) -> None:
    server, _ = shop(quotas=Quotas(CountedOnce()))
    call = {"name": "rarely"}
    for caller in (ADA, BOB):
        asked: Json = {"revision": revision, "caller": caller}
        await called(server, "rarely", **asked)
        assert await error(server, "tools/call", call, **asked) == TOO_OFTEN
        # The others are not concerned.
        assert await called(server, "at_once", **asked)


@every_revision
async def test_who_cannot_be_counted_is_served_nothing(
    revision: Revision, caplog: pytest.LogCaptureFixture
) -> None:
    counts = CountedOnce()
    server, _ = shop(quotas=Quotas(counts, per_caller=Rate(9, 60)))
    counts.is_away = True
    unavailable = {
        "code": UNAVAILABLE,
        "message": "this cannot be served at the moment",
        "data": {"retryAfter": 1},
    }
    assert await refused(server, revision=revision) == unavailable
    counts.is_away = False
    unrated, _ = shop(quotas=Quotas(counts))
    counts.is_away = True
    found = await error(unrated, "tools/call", {"name": "rarely"}, revision=revision)
    assert found == unavailable
    # Whoever counts has logged it.
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


async def test_a_rate_that_nobody_counts_is_a_failure_of_the_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server, _ = shop()
    found = await error(server, "tools/call", {"name": "rarely"}, revision=LATEST)
    assert "Internal error" in found["message"]
    assert "there is a rate for tool:rarely, and nobody counts it" in caplog.text
