"""Every door of a running server, each as a thing that takes a body and answers it.

The body is bytes, and may be anything. What wants an answer is told by its ids;
where answers come on a connection of their own, a call of no method at all, the
barrier, tells that no more will come.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection

from deploy.servers import Served
from tests.faults.verdict import require
from tests.security.eventstream import EventStream, ServerSent, read_all
from tests.security.keepalive import Line, Reply
from tests.websocket.client import opened
from tests.wire.tokens import ALICE

Json = dict[str, Any]
Headers = Mapping[str, str]

BOUND_S = 60
BEARER: Headers = {"Authorization": f"Bearer {ALICE}"}
POSTED: Headers = {
    **BEARER,
    "Accept": "application/json, text/event-stream",
    "Content-Type": "application/json",
}
# What may answer a POST: never a failure of the server's own.
STATUSES = frozenset({200, 202, 400, 404})
BARRIER = "no/such/method"


def handshake(revision: str) -> Json:
    params = {
        "protocolVersion": revision,
        "capabilities": {},
        "clientInfo": {"name": "attacker", "version": "1"},
    }
    return {"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": params}


READY: Json = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def encoded(message: Any) -> bytes:
    return json.dumps(message).encode()


@dataclass(frozen=True, slots=True)
class Sent:
    """A body, and how many of its parts are to be answered under their ids.

    ``more`` tells that answers without an id may come besides, ``headers`` go with
    it where there are headers.
    """

    body: bytes
    answers: int = 1
    more: bool = False
    headers: Headers = field(default_factory=dict)


class Door(Protocol):
    """``name`` is how a failure calls it."""

    name: str

    async def ask(self, sent: Sent) -> list[Json]:
        """Return all that was said to a body, and before it since the last one.

        Raises Failed for a status that nobody should get.
        """
        ...


def answered(messages: Collection[Json]) -> int:
    return sum("method" not in message for message in messages)


def messages_of(reply: Reply) -> list[Json]:
    """Return what a whole reply says. Raises Failed for a status it must not have."""
    said = bytes(reply.body)
    require(reply.status in STATUSES, f"status {reply.status}: {said[:300]!r}")
    if reply.status == 202 or not said:
        return []
    if reply.headers["content-type"] == "text/event-stream":
        return [json.loads(one.data) for one in read_all(said) if one.data]
    whole = json.loads(said)
    return whole if isinstance(whole, list) else [whole]


class Streamable:
    """POST, in a session or, with headers that say so, without. ``session`` are the
    headers that go with each body.
    """

    def __init__(self, name: str, line: Line, session: Headers) -> None:
        self.name = name
        self.session = session
        self._line = line

    async def send(self, body: bytes, headers: Headers) -> Reply:
        sent = {**POSTED, **self.session, **headers}
        return await self._line.send("POST /mcp", sent, body)

    async def ask(self, sent: Sent) -> list[Json]:
        return messages_of(await self.send(sent.body, sent.headers))


class _Heard:
    """What came on a connection so far, and how to wait for what is to come."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Json] = asyncio.Queue()
        self._barriers = count()

    def take(self, message: Json) -> None:
        self._queue.put_nowait(message)

    def barrier(self) -> tuple[str, bytes]:
        id = f"barrier {next(self._barriers)}"
        return id, encoded({"jsonrpc": "2.0", "id": id, "method": BARRIER})

    async def until(self, least: int, barrier: str | None) -> list[Json]:
        """Return what came up to so many answers, and to the barrier's if there is
        one, which is left out.
        """
        said: list[Json] = []
        async with asyncio.timeout(BOUND_S):
            while barrier is not None or answered(said) < least:
                message = await self._queue.get()
                if barrier is not None and message.get("id") == barrier:
                    barrier = None
                else:
                    said.append(message)
        return said


class HTTPWithSSE:
    """POST beside an open stream. ``events`` are all that came on it."""

    def __init__(self, line: Line, place: str, heard: _Heard) -> None:
        self.name = "sse"
        self._line = line
        self._place = place
        self._heard = heard

    async def ask(self, sent: Sent) -> list[Json]:
        reply = await self._post(sent.body)
        if reply.status != 202:
            return messages_of(reply)
        barrier = None
        if sent.more:
            barrier, body = self._heard.barrier()
            await self._post(body)
        return await self._heard.until(sent.answers, barrier)

    async def _post(self, body: bytes) -> Reply:
        return await self._line.send(f"POST {self._place}", POSTED, body)


class Duplex:
    """A connection that carries messages both ways, one after another."""

    def __init__(self, name: str, channel: Channel, heard: _Heard) -> None:
        self.name = name
        self._channel = channel
        self._heard = heard

    async def ask(self, sent: Sent) -> list[Json]:
        barrier, body = self._heard.barrier()
        await self._channel.send(sent.body)
        await self._channel.send(body)
        return await self._heard.until(sent.answers, barrier)


class Channel(Protocol):
    async def send(self, body: bytes) -> None: ...


class Frames:
    """Text frames of a WebSocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, body: bytes) -> None:
        await self._socket.send(body.decode())

    async def __aiter__(self) -> AsyncIterator[Json]:
        async for text in self._socket:
            message: Json = json.loads(text)
            yield message


class Lines:
    """Lines of a process that serves its standard input and output."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._stdin = process.stdin
        self._stdout = process.stdout

    async def send(self, body: bytes) -> None:
        self._stdin.write(body + b"\n")
        await self._stdin.drain()

    async def __aiter__(self) -> AsyncIterator[Json]:
        async for line in self._stdout:
            message: Json = json.loads(line)
            yield message


# Opening them.


async def shake_hands(door: Door, revision: str) -> None:
    for message in (handshake(revision), READY):
        said = await door.ask(Sent(encoded(message), answers="id" in message))
        require(all("result" in one for one in said), f"{door.name}: {said}")


@asynccontextmanager
async def streamable(served: Served, revision: str) -> AsyncIterator[Streamable]:
    line = Line(served.port)
    try:
        greeted = Streamable("streamable", line, {})
        hello = await greeted.send(encoded(handshake(revision)), {})
        session = {
            "Mcp-Session-Id": hello.headers["mcp-session-id"],
            "MCP-Protocol-Version": revision,
        }
        door = Streamable("streamable", line, session)
        await door.ask(Sent(encoded(READY)))
        yield door
    finally:
        line.close()


@asynccontextmanager
async def stateless(served: Served) -> AsyncIterator[Streamable]:
    """The revision without sessions: each body comes with headers of its own."""
    line = Line(served.port)
    try:
        yield Streamable("streamable", line, {})
    finally:
        line.close()


@asynccontextmanager
async def plain(
    served: Served, name: str, accept: str = "*/*"
) -> AsyncIterator[Streamable]:
    line = Line(served.port)
    try:
        yield Streamable("plain", line, {"X-Session-ID": name, "Accept": accept})
    finally:
        line.close()


@asynccontextmanager
async def http_with_sse(
    served: Served, revision: str, events: list[ServerSent] | None = None
) -> AsyncIterator[HTTPWithSSE]:
    """Open the stream; what comes on it is put into ``events`` as well."""
    listening, line, heard = Line(served.port), Line(served.port), _Heard()
    opening = await listening.open("GET /sse", BEARER)
    require(opening.status == 200, f"sse: status {opening.status}")
    place: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def listen() -> None:
        stream = EventStream()
        async for piece in listening.pieces(opening):
            for event in stream.feed(piece):
                if not place.done():
                    require(event.event == "endpoint", f"sse: begins with {event}")
                    place.set_result(event.data or "")
                    continue
                if events is not None:
                    events.append(event)
                heard.take(json.loads(event.data or ""))

    async with _attended(listen()):
        door = HTTPWithSSE(line, await place, heard)
        await shake_hands(door, revision)
        try:
            yield door
        finally:
            line.close()
            listening.close()


@asynccontextmanager
async def websocket(served: Served, revision: str | None) -> AsyncIterator[Duplex]:
    async with (
        opened(served) as socket,
        _duplex("websocket", Frames(socket), revision) as door,
    ):
        yield door


@asynccontextmanager
async def stdio(
    process: asyncio.subprocess.Process, revision: str | None
) -> AsyncIterator[Duplex]:
    async with _duplex("stdio", Lines(process), revision) as door:
        yield door


@asynccontextmanager
async def _duplex(
    name: str, channel: Frames | Lines, revision: str | None
) -> AsyncIterator[Duplex]:
    heard = _Heard()

    async def listen() -> None:
        async for message in channel:
            heard.take(message)

    async with _attended(listen()):
        door = Duplex(name, channel, heard)
        if revision is not None:
            await shake_hands(door, revision)
        yield door


@asynccontextmanager
async def _attended(listening: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Listen meanwhile; what goes wrong there ends the block as well."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(listening)
        try:
            yield
        finally:
            task.cancel()
