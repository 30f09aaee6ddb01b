"""A process that stops: what runs is answered, and what waits is told."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from django.core.asgi import get_asgi_application
from django.test import override_settings

from mcp_transport.asgi import Application, mount
from mcp_transport.conf import get_server
from mcp_transport.draining import drain
from mcp_transport.protocol.revisions import LATEST_STATEFUL
from mcp_transport.transports import open_streams
from mcp_transport.transports.open_streams import get_open_streams
from mcp_transport.transports.websocket import MCPConsumer
from tests.websocket.peer import ACCEPTED, Peer, call
from tests.wire.client import ALL, BOUND_S, LEGACY, MODERN, Client, Reply
from tests.wire.conftest import BASE_URL, MCP
from tests.wire.doors import ASGIDoor
from tests.wire.holding import becomes_true, gates
from tests.wire.listener import listening

# More than anything here takes; nothing waits this long.
GRACE_S = 30
GOING_AWAY = {
    "jsonrpc": "2.0",
    "method": "notifications/message",
    "params": {
        "level": "notice",
        "logger": "mcp_transport",
        "data": "The server restarts: connect again.",
    },
}


@pytest.fixture
def gate() -> str:
    return secrets.token_hex(8)


@pytest.fixture
async def application() -> AsyncIterator[Application]:
    with override_settings(MCP=MCP, ROOT_URLCONF="tests.wire.urls"):
        yield mount(get_asgi_application())
        assert len(get_open_streams()) == 0
        assert len(get_server().calls) == 0


@pytest.fixture
async def http(application: Application) -> AsyncIterator[httpx.AsyncClient]:
    door = ASGIDoor(application)
    async with httpx.AsyncClient(transport=door, base_url=BASE_URL) as http:
        http.headers.clear()
        yield http


@asynccontextmanager
async def connected(http: httpx.AsyncClient, revision: str) -> AsyncIterator[Client]:
    client = Client(http, revision)
    await client.connect()
    yield client


def draining() -> asyncio.Task[int]:
    return asyncio.create_task(drain(GRACE_S))


async def late(drained: asyncio.Task[int]) -> int:
    """Return how many calls were still running at the end."""
    async with asyncio.timeout(BOUND_S):
        return await drained


async def rest(reply: Reply) -> bytes:
    """Return all that came on a stream that has to end."""
    while await reply.piece() is not None:
        pass
    return reply.raw


async def a_few_turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


# Calls.


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("aloud", [False, True])
async def test_what_runs_is_answered(
    http: httpx.AsyncClient, revision: str, aloud: bool, gate: str
) -> None:
    async with connected(http, revision) as client:
        held = asyncio.create_task(client.text("hold", gate=gate, aloud=aloud))
        await becomes_true(gates[gate].entered)
        drained = draining()
        await a_few_turns()
        assert not drained.done()
        gates[gate].opened.set()
        assert await held == f"released {gate}"
    assert await late(drained) == 0


@pytest.mark.parametrize("revision", ALL)
async def test_what_does_not_end_in_time_is_ended(
    http: httpx.AsyncClient, revision: str, gate: str
) -> None:
    async with connected(http, revision) as client:
        message = client.message(
            "tools/call", {"name": "hold", "arguments": {"gate": gate}}
        )
        held = asyncio.create_task(client.send(message))
        await becomes_true(gates[gate].entered)
        async with asyncio.timeout(BOUND_S):
            assert await drain(0.05) == 1
            await held
    assert gates[gate].fate == "cancelled"


async def test_with_nothing_open_it_is_over_at_once(application: Application) -> None:
    assert await late(draining()) == 0


# Streams over HTTP.


@pytest.mark.parametrize("revision", LEGACY)
@pytest.mark.parametrize(("level", "told"), [("notice", True), ("warning", False)])
async def test_a_sessions_stream_ends_with_a_word_and_a_time_to_come_back(
    http: httpx.AsyncClient, revision: str, level: str, told: bool
) -> None:
    async with connected(http, revision) as client:
        await client.result("logging/setLevel", {"level": level})
        async with client.stream() as reply:
            await reply.piece()
            opening = len(reply.raw)
            drained = draining()
            said = (await rest(reply))[opening:]
        assert await late(drained) == 0
    *messages, parting, end = said.split(b"\n\n")
    assert (parting, end) == (b"retry: 1000", b"")
    data = [block.split(b"data: ", 1)[1] for block in messages if b"data: " in block]
    assert [json.loads(one) for one in data] == ([GOING_AWAY] if told else [])


async def test_a_listener_gets_its_result(http: httpx.AsyncClient) -> None:
    async with connected(http, MODERN) as client:
        wanted = {"notifications": {"toolsListChanged": True}}
        message = client.message("subscriptions/listen", wanted)
        async with client.open(message) as reply:
            assert "acknowledged" in (await reply.message())["method"]
            drained = draining()
            said = [one async for one in reply.messages()]
        assert [one["id"] for one in said] == [message["id"]]
        assert "result" in said[0]
    assert await late(drained) == 0


async def test_a_stream_ends_while_a_call_is_answered_yet(
    http: httpx.AsyncClient, gate: str
) -> None:
    async with connected(http, LATEST_STATEFUL.name) as client:
        held = asyncio.create_task(client.text("hold", gate=gate, aloud=True))
        await becomes_true(gates[gate].entered)
        async with client.stream() as reply:
            await reply.piece()
            drained = draining()
            await rest(reply)
            assert not drained.done()
            assert not held.done()
        gates[gate].opened.set()
        assert await held == f"released {gate}"
    assert await late(drained) == 0


@pytest.mark.parametrize("revision", LEGACY)
async def test_by_http_with_sse_the_stream_stays_until_its_calls_are_answered(
    http: httpx.AsyncClient, revision: str, gate: str
) -> None:
    async with listening(http, revision) as client, listening(http, revision) as idle:
        held = client.calling("hold", gate=gate)
        await client.post(held)
        await becomes_true(gates[gate].entered)
        drained = draining()
        await a_few_turns()
        # It goes on, and so does what else the client asks for.
        asked = client.calling("echo", text="a")
        await client.post(asked)
        assert (await client.events.message())["id"] == asked["id"]
        gates[gate].opened.set()
        message = await client.events.message()
        assert message["id"] == held["id"]
        assert "result" in message
        for one in (client, idle):
            said = await one.events.rest()
            assert [json.loads(event.data) for event in said] == [GOING_AWAY]
            assert one.events.raw.endswith(b"\n\nretry: 1000\n\n")
    assert await late(drained) == 0


async def test_whoever_stays_to_read_is_waited_for_but_not_for_ever(
    http: httpx.AsyncClient,
) -> None:
    async with (
        connected(http, LATEST_STATEFUL.name) as client,
        client.stream() as reply,
    ):
        await reply.piece()
        stuck = get_open_streams().standing(*_somebody())
        async with asyncio.timeout(BOUND_S):
            assert await drain(0.05) == 0
        assert stuck.ending is open_streams.Ending.RESTART
        stuck.close()
        await rest(reply)


def _somebody() -> Any:
    (stream,) = get_open_streams()._open
    return stream.caller, stream._credential


# WebSockets.


def hello(revision: str) -> str:
    params = {"protocolVersion": revision, "capabilities": {}}
    return json.dumps(
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
    )


INITIALIZED = json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"})


def held_call(gate: str, *, stateful: bool) -> str:
    if not stateful:
        return call("hold", 1, gate=gate)
    params = {"name": "hold", "arguments": {"gate": gate}}
    return json.dumps(
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    )


@pytest.mark.parametrize("revision", ALL)
async def test_a_socket_is_told_its_calls_are_answered_and_it_is_closed(
    application: Application, revision: str, gate: str
) -> None:
    stateful = revision in LEGACY
    peer = Peer(MCPConsumer.as_asgi())
    assert await peer.opens() == ACCEPTED
    if stateful:
        peer.sends(hello(revision))
        assert "result" in await peer.hears()
        peer.sends(INITIALIZED)
    peer.sends(held_call(gate, stateful=stateful))
    await becomes_true(gates[gate].entered)
    drained = draining()
    if stateful:
        assert await peer.hears() == GOING_AWAY
    await a_few_turns()
    # What comes now is not taken: another process will answer it.
    peer.sends(call("echo", 2, text="a"))
    gates[gate].opened.set()
    message = await peer.hears()
    assert (message["id"], "result" in message) == (1, True)
    assert await peer.closed() == 1001
    assert await late(drained) == 0


async def test_a_socket_that_says_nothing_is_closed(application: Application) -> None:
    peer = Peer(MCPConsumer.as_asgi())
    assert await peer.opens() == ACCEPTED
    await a_few_turns()
    drained = draining()
    assert await peer.closed() == 1001
    assert await late(drained) == 0
