"""Who is connected to two real processes, as a third one sees and ends it.

The third is this one: it serves nobody, as where the admin runs on its own.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from django.test import override_settings
from websockets.exceptions import ConnectionClosed

from mcp_transport import presence
from mcp_transport.engine.presence import session_handle
from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL
from mcp_transport.transports.client import Client as AnyClient
from tests.serving import Served, daphnes, redis_server
from tests.websocket.client import WebSocketTransport, opened
from tests.wire.client import MODERN, Client
from tests.wire.settings import MCP as WIRE
from tests.wire.test_streams import calling

BOUND_S = 20
OFTEN_S = 0.05
LEGACY = LATEST_STATEFUL.name


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as redis:
        yield redis.url


@pytest.fixture(scope="module")
def processes(
    store: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Served]]:
    environ = {
        "DJANGO_SETTINGS_MODULE": "tests.presence.settings",
        "PRESENCE_STORE": store,
    }
    directory = tmp_path_factory.mktemp("processes")
    with daphnes(2, "tests.wire.asgi:lean", directory, environ=environ) as served:
        yield served
        assert not any("Traceback" in process.said() for process in served)


@pytest.fixture(autouse=True)
def _third(store: str) -> Iterator[None]:
    with override_settings(MCP=WIRE | {"STORE": store}):
        yield


@pytest.fixture
def gate() -> str:
    """A word of its own for the call that a test holds."""
    return secrets.token_hex(8)


@asynccontextmanager
async def connected(process: Served, revision: str) -> AsyncIterator[Client]:
    async with httpx.AsyncClient(base_url=process.origin, timeout=BOUND_S) as http:
        http.headers.clear()
        client = Client(http, revision)
        await client.connect()
        yield client


async def becomes(asked: Callable[[], Awaitable[object]], wanted: object) -> None:
    async with asyncio.timeout(BOUND_S):
        while await asked() != wanted:  # noqa: ASYNC110 - other processes say
            await asyncio.sleep(OFTEN_S)


async def shown() -> list[tuple[str, ...]]:
    """Return what is open, by door, client, revision and session."""
    seen = (await presence.streams()).seen
    return sorted((one.door, one.client, one.revision, one.session) for one in seen)


async def handle_of(door: str) -> str:
    (stream,) = [one for one in (await presence.streams()).seen if one.door == door]
    return stream.handle


@asynccontextmanager
async def elsewhere(client: Client, process: Served) -> AsyncIterator[Client]:
    """The same session, at another process."""
    async with httpx.AsyncClient(base_url=process.origin, timeout=BOUND_S) as http:
        other = Client(http, LEGACY)
        other.session, other.asked = client.session, client.asked
        yield other


async def test_a_session_is_ended_in_every_process(
    processes: list[Served], gate: str
) -> None:
    here, there = processes
    async with (
        connected(here, LEGACY) as client,
        elsewhere(client, there) as other,
    ):
        assert client.session is not None
        handle = session_handle(client.session)
        (session,) = (await presence.sessions()).seen
        assert session.handle == handle
        assert (session.door, session.client) == ("streamable-http", "wire 1")
        call = calling(client, "hold", gate=gate, aloud=True)
        async with other.stream() as stream, client.open(call) as reply:
            await reply.message()
            mine = ("streamable-http", "wire 1", LEGACY, handle)
            await becomes(shown, [mine, mine])
            assert await presence.end_session(handle)
            while await stream.event() is not None:
                pass
            rest = [message async for message in reply.messages()]
            assert not any("result" in message for message in rest)
        for one in (client, other):
            gone = await one.send(one.message("ping"))
            assert gone.status_code == 404
        assert (await presence.sessions()).total == 0
        assert not await presence.end_session(handle)
        await becomes(shown, [])


async def test_a_stream_of_no_session_ends_with_its_call(
    processes: list[Served], gate: str
) -> None:
    async with connected(processes[1], MODERN) as client:
        call = calling(client, "hold", gate=gate, aloud=True)
        async with client.open(call) as reply:
            await reply.message()
            await becomes(shown, [("streamable-http", "wire 1", MODERN, "")])
            assert await presence.end_stream(await handle_of("streamable-http"))
            rest = [message async for message in reply.messages()]
            assert not any("result" in message for message in rest)
        await becomes(shown, [])


@pytest.mark.parametrize("revision", [LATEST, LATEST_STATEFUL])
async def test_a_websocket_is_told_that_it_was_ended(
    processes: list[Served], revision: Any
) -> None:
    async with opened(processes[0]) as socket:
        client = AnyClient(
            WebSocketTransport(socket), revision, info={"name": "app", "version": "1"}
        )
        await client.start()
        await client.list_tools()
        await becomes(shown, [("websocket", "app 1", revision.name, "")])
        assert await presence.end_stream(await handle_of("websocket"))
        async with asyncio.timeout(BOUND_S):
            await socket.wait_closed()
        assert socket.close_code == 4410
        with pytest.raises(ConnectionClosed):
            await socket.send("{}")
    await becomes(shown, [])


async def test_the_oldest_transport_is_shown_with_its_client(
    processes: list[Served],
) -> None:
    async with (
        connected(processes[0], MODERN) as client,
        client.open(None, verb="GET", path="/sse") as reply,
    ):
        event = await reply.event()
        assert event is not None
        session_id = event.data.decode().partition("sessionId=")[2]
        handle = session_handle(session_id)
        await becomes(shown, [("sse", "", "", handle)])
        assert await presence.end_session(handle)
        assert await reply.event() is None
    await becomes(shown, [])
