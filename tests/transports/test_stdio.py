"""The transport over descriptors of the test's own; tests/stdio has processes."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mcp_transport.engine.caller import ANONYMOUS
from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.server import Server
from mcp_transport.protocol.errors import INVALID_REQUEST, TOO_MANY_REQUESTS
from mcp_transport.protocol.messages import encode_notification
from mcp_transport.protocol.revision import Revision
from mcp_transport.transports import stdio
from mcp_transport.transports.client import Client
from mcp_transport.transports.duplex import serve
from mcp_transport.transports.stdio import BINDING, StdioTransport
from tests.engine.exchanges import (
    PATIENCE_S,
    Json,
    every_revision,
    serving,
    text_of,
)
from tests.stdio.process import call, request
from tests.transports.test_own_transport import Lines, shop


class Pipes:
    """The client's ends of both pipes; ``gone`` counts how often it was seen gone."""

    def __init__(self) -> None:
        self.theirs, self.to = os.pipe()
        self.back, self.out = os.pipe()
        self.reader = os.fdopen(self.back, "rb")
        self.gone = 0

    def left(self) -> None:
        self.gone += 1

    def says(self, *lines: bytes) -> None:
        os.write(self.to, b"".join(line + b"\n" for line in lines))

    def goes(self) -> None:
        os.close(self.to)

    async def hears(self) -> Json:
        message: Json = json.loads(await asyncio.to_thread(self.reader.readline))
        return message

    async def rest(self) -> list[Json]:
        data = await asyncio.to_thread(self.reader.read)
        return [json.loads(line) for line in data.splitlines()]


@asynccontextmanager
async def served(server: Server, **options: float) -> AsyncIterator[Pipes]:
    """Serve a client over pipes; when the block is left, the serving has ended."""
    pipes = Pipes()
    transport = StdioTransport(server, pipes.theirs, pipes.out, pipes.left)
    task = asyncio.create_task(
        serve(server, transport, ANONYMOUS, BINDING, **options)  # type: ignore[arg-type]
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield pipes
            await task
    finally:
        pipes.reader.close()
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(pipes.out)
    assert len(server.calls) == 0


def tea() -> Shelf:
    shelf = Shelf()

    @shelf.tool
    async def brew(ms: int, cups: int = 1) -> str:
        await asyncio.sleep(ms / 1000)
        return "tea " * cups

    return shelf


@every_revision
async def test_it_serves_every_revision(revision: Revision) -> None:
    one, other = socket.socketpair()
    server, gone = serving(shop()), asyncio.Event()
    loop = asyncio.get_running_loop()

    def left() -> None:
        loop.call_soon_threadsafe(gone.set)

    descriptors = os.dup(other.fileno()), other.detach()
    transport = StdioTransport(server, *descriptors, left)
    task = asyncio.create_task(serve(server, transport, ANONYMOUS, BINDING))
    client = Client(Lines(*await asyncio.open_connection(sock=one)), revision)
    async with asyncio.timeout(PATIENCE_S):
        await client.start()
        assert [tool["name"] for tool in await client.list_tools()] == ["where", "who"]
        assert text_of(await client.call_tool("who")) == "anonymous"
        await client.close()
        await task
        await gone.wait()


async def test_what_was_read_is_answered_before_the_end() -> None:
    async with served(serving(tea()), linger_s=PATIENCE_S) as pipes:
        pipes.says(call(1, "brew", ms=50), request(2, "tools/list"))
        pipes.goes()
        assert [message["id"] for message in await pipes.rest()] == [2, 1]


async def test_what_lasts_longer_is_ended_without_an_answer() -> None:
    async with served(serving(tea()), linger_s=0.1) as pipes:
        pipes.says(call(1, "brew", ms=600_000))
        pipes.goes()
        assert await pipes.rest() == []


async def test_a_request_waits_until_another_has_ended() -> None:
    server = serving(tea(), limits=Limits(max_in_flight=1))
    async with served(server, patience_s=PATIENCE_S, linger_s=PATIENCE_S) as pipes:
        pipes.says(*(call(n, "brew", ms=5) for n in range(20)))
        pipes.goes()
        messages = await pipes.rest()
    assert [message["id"] for message in messages] == list(range(20))
    assert ["error" in message for message in messages] == [False] * 20


async def test_no_cancel_waits_for_long() -> None:
    server = serving(tea(), limits=Limits(max_in_flight=1))
    async with served(server, patience_s=0.1) as pipes:
        pipes.says(call(1, "brew", ms=600_000), call(2, "brew", ms=0))
        assert (await pipes.hears())["error"]["code"] == TOO_MANY_REQUESTS
        cancelled = {"requestId": 1}
        pipes.says(encode_notification("notifications/cancelled", cancelled))
        pipes.says(call(3, "brew", ms=0))
        assert (await pipes.hears())["id"] == 3
        pipes.goes()


async def test_a_stream_of_changes_does_not_make_it_linger() -> None:
    async with served(serving(tea()), linger_s=2 * PATIENCE_S) as pipes:
        listening = request("s", "subscriptions/listen", notifications={})
        pipes.says(listening)
        assert "acknowledged" in (await pipes.hears())["method"]
        pipes.goes()
        (ended,) = await pipes.rest()
        assert ended["id"] == "s"


async def test_too_long_a_line_is_answered_in_its_place() -> None:
    server = serving(tea())
    room = server.limits.max_body_bytes
    async with served(server) as pipes:
        pipes.says(request(1, "tools/list"))
        for _ in range(room // 4096):
            await asyncio.to_thread(os.write, pipes.to, b"x" * 4096)
        pipes.says(b"x", request(2, "tools/list"))
        pipes.goes()
        first, long, last = await pipes.rest()
    assert (first["id"], last["id"]) == (1, 2)
    assert long["error"]["code"] == INVALID_REQUEST
    assert "id" not in long


async def test_a_long_answer_goes_out_as_the_client_reads() -> None:
    async with served(serving(tea()), linger_s=PATIENCE_S) as pipes:
        pipes.says(call(1, "brew", ms=0, cups=100_000))
        pipes.goes()
        (message,) = await pipes.rest()
    assert message["result"]["content"][0]["text"] == "tea " * 100_000


async def test_a_client_that_hears_nothing_is_not_heard() -> None:
    async with served(serving(tea())) as pipes:
        pipes.reader.close()
        pipes.says(request(1, "tools/list"))
    assert pipes.gone >= 1
    pipes.goes()


async def test_a_call_whose_answer_nobody_hears_ends_the_serving() -> None:
    async with served(serving(tea())) as pipes:
        pipes.says(call(1, "brew", ms=50))
        pipes.reader.close()
    pipes.goes()


async def test_a_line_that_was_begun_is_ended_when_serving_is_cancelled() -> None:
    server, pipes = serving(tea()), Pipes()
    transport = StdioTransport(server, pipes.theirs, pipes.out, pipes.left)
    task = asyncio.create_task(serve(server, transport, ANONYMOUS, BINDING))
    pipes.says(call(1, "brew", ms=0, cups=100_000))
    begun = await asyncio.to_thread(os.read, pipes.back, 10)
    task.cancel()
    (line,) = (begun + await asyncio.to_thread(pipes.reader.read)).splitlines()
    assert json.loads(line)["id"] == 1
    with pytest.raises(asyncio.CancelledError):
        await task
    pipes.goes()
    pipes.reader.close()


async def test_connections_are_closed_after_each_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed: list[bool] = []
    monkeypatch.setattr(stdio, "close_shared_connections", lambda: closed.append(True))
    async with served(serving(tea())) as pipes:
        pipes.says(request(1, "tools/list"), request(2, "tools/list"))
        pipes.goes()
        assert len(await pipes.rest()) == 2
    assert closed == [True, True]
