"""The server that does nothing: what the machine and the HTTP server cost.

It does what ours does on the wire, without a protocol: a reply of two hundred
bytes, a stream of 101 such events, a stream that says what is posted beside it,
and a WebSocket that says everything again.
"""

from __future__ import annotations

import asyncio
import gc
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from asgiref.typing import (
    ASGIReceiveCallable,
    ASGISendCallable,
    HTTPResponseBodyEvent,
    HTTPResponseStartEvent,
    HTTPScope,
    Scope,
    WebSocketAcceptEvent,
    WebSocketSendEvent,
)

REPLY = b'{"jsonrpc":"2.0","id":1,"result":"' + b"x" * 164 + b'"}'
assert len(REPLY) == 200
EVENT = b"event: message\ndata: " + REPLY + b"\n\n"
COUNT = 101
# Paths, and whether something else may run between two events.
EVENTS = {"/burst": False, "/steps": True}
ACCEPTED = b"Accepted"
GONE = b""

# What is to be said on each open stream, by the id in its first event.
_streams: dict[str, asyncio.Queue[bytes]] = {}

# As in the project that is compared with this.
gc.collect()
gc.freeze()


async def application(
    scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    if scope["type"] == "websocket":
        await echo(receive, send)
    elif scope["type"] != "http":
        raise ValueError(f"no {scope['type']} here")
    elif scope["path"] == "/sse":
        await stream(receive, send)
    elif scope["path"] == "/message":
        await message(scope, receive, send)
    elif scope["path"] in EVENTS:
        await events(receive, send, pausing=EVENTS[scope["path"]])
    else:
        await reply(receive, send)


async def reply(receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Read a request's body and answer with two hundred bytes."""
    await _read(receive)
    await send(_start(200, b"application/json", len(REPLY)))
    await send(_body(REPLY, more_body=False))


async def events(
    receive: ASGIReceiveCallable, send: ASGISendCallable, *, pausing: bool
) -> None:
    """Read a request's body and answer with events, each in a piece of its own."""
    await _read(receive)
    await send(_start(200, b"text/event-stream"))
    for _ in range(COUNT):
        await send(_body(EVENT, more_body=True))
        if pausing:
            await asyncio.sleep(0)
    await send(_body(b"", more_body=False))


async def stream(receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Say where to post, then an event for each post, until the client goes."""
    await _read(receive)
    name, queue = uuid4().hex, asyncio.Queue[bytes]()
    _streams[name] = queue
    watching = asyncio.create_task(_until_gone(receive, queue))
    await send(_start(200, b"text/event-stream"))
    said = f"event: endpoint\ndata: /message?sessionId={name}\n\n".encode()
    try:
        while said != GONE:
            await send(_body(said, more_body=True))
            said = await queue.get()
    finally:
        watching.cancel()
        del _streams[name]


async def _until_gone(
    receive: ASGIReceiveCallable, queue: asyncio.Queue[bytes]
) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
    queue.put_nowait(GONE)


async def message(
    scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    """Read a request's body, accept it, and have an event said on its stream."""
    await _read(receive)
    name = parse_qs(scope["query_string"].decode())["sessionId"][0]
    _streams[name].put_nowait(EVENT)
    await send(_start(202, b"text/plain", len(ACCEPTED)))
    await send(_body(ACCEPTED, more_body=False))


async def echo(receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Accept a WebSocket and send back what it says."""
    await receive()
    await send(
        WebSocketAcceptEvent(type="websocket.accept", subprotocol="mcp", headers=[])
    )
    # Any, because the events of a WebSocket are told apart by their type alone.
    event: Any = await receive()
    while event["type"] == "websocket.receive":
        await send(
            WebSocketSendEvent(type="websocket.send", bytes=None, text=event["text"])
        )
        event = await receive()


async def _read(receive: ASGIReceiveCallable) -> None:
    while True:
        event = await receive()
        if event["type"] != "http.request" or not event["more_body"]:
            return


def _start(
    status: int, content_type: bytes, length: int | None = None
) -> HTTPResponseStartEvent:
    headers = [(b"content-type", content_type)]
    if length is not None:
        headers.append((b"content-length", b"%d" % length))
    return HTTPResponseStartEvent(
        type="http.response.start", status=status, headers=headers, trailers=False
    )


def _body(body: bytes, *, more_body: bool) -> HTTPResponseBodyEvent:
    return HTTPResponseBodyEvent(
        type="http.response.body", body=body, more_body=more_body
    )
