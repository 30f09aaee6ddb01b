"""An application that does what its path says, to a server that is to cope."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from mcp_transport.handler import Receive, Scope, Send

PIECE = b"x" * 65_536
EVENT = b"data: tick\n\n"


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    query = dict(parse_qsl(scope["query_string"].decode()))
    doors = SOCKETS if scope["type"] == "websocket" else PAGES
    print("begun", scope["path"], flush=True)
    await doors[scope["path"]](scope, receive, send, query)


# HTTP


async def show(scope: Scope, receive: Receive, send: Send, query: Any) -> None:
    """Reply with what has arrived."""
    size, more = 0, True
    while more:
        part = await receive()
        size += len(part.get("body", b""))
        more = part.get("more_body", False)
    seen = {"size": size, "root_path": scope["root_path"], "path": scope["path"]}
    await _reply(send, json.dumps(seen).encode())


async def hold(scope: Scope, receive: Receive, send: Send, query: Any) -> None:
    await asyncio.sleep(float(query["s"]))
    await _reply(send, b"held")


async def wait(scope: Scope, receive: Receive, send: Send, query: Any) -> None:
    """Reply once there is a file."""
    file = Path(query["file"])
    while not await asyncio.to_thread(file.exists):  # noqa: ASYNC110 - of another process
        await asyncio.sleep(0.02)
    await _reply(send, b"waited")


async def block(scope: Scope, receive: Receive, send: Send, query: Any) -> None:
    await asyncio.to_thread(time.sleep, float(query["s"]))
    await _reply(send, b"blocked")


async def stall(scope: Scope, receive: Receive, send: Send, query: Any) -> None:
    """Hold up the loop itself."""
    time.sleep(float(query["s"]))  # noqa: ASYNC251 - that is what is shown
    await _reply(send, b"stalled")


async def pieces(scope: Scope, receive: Receive, send: Send, query: Any) -> None:
    await _start(send, b"application/octet-stream")
    for _ in range(int(query["bytes"]) // len(PIECE)):
        await _piece(send, PIECE)
    await send({"type": "http.response.body"})


async def events(scope: Scope, receive: Receive, send: Send, query: Any) -> None:
    await _start(send, b"text/event-stream")
    while True:
        await _piece(send, EVENT)
        await asyncio.sleep(0.05)


async def fail(scope: Scope, receive: Receive, send: Send, query: Any) -> None:
    if "begun" in query:
        await _start(send, b"text/plain")
        await _piece(send, b"begun")
    raise RuntimeError("it fails, as it was told to")


async def _start(send: Send, content_type: bytes) -> None:
    headers = [(b"content-type", content_type)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _piece(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _reply(send: Send, body: bytes) -> None:
    await _start(send, b"application/json")
    await send({"type": "http.response.body", "body": body})


# WebSocket


async def echo(scope: Scope, receive: Receive, send: Send, query: Any) -> None:
    await _accept(receive, send)
    while (event := await receive())["type"] == "websocket.receive":
        await asyncio.sleep(float(query.get("s", 0)))
        await send({**event, "type": "websocket.send"})


async def close(scope: Scope, receive: Receive, send: Send, query: Any) -> None:
    await _accept(receive, send)
    code = int(query["code"])
    await send({"type": "websocket.close", "code": code, "reason": query["reason"]})


async def deny(scope: Scope, receive: Receive, send: Send, query: Any) -> None:
    await receive()
    await send({"type": "websocket.close"})


async def flood(scope: Scope, receive: Receive, send: Send, query: Any) -> None:
    await _accept(receive, send)
    for _ in range(int(query["bytes"]) // len(PIECE)):
        await send({"type": "websocket.send", "bytes": PIECE})


async def deaf(scope: Scope, receive: Receive, send: Send, query: Any) -> None:
    """Read nothing for a while; then say how many messages there were."""
    await _accept(receive, send)
    await asyncio.sleep(float(query["s"]))
    heard = 0
    while (await receive()).get("text") != "last":
        heard += 1
    await send({"type": "websocket.send", "text": str(heard)})


async def _accept(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})


Door = Callable[[Scope, Receive, Send, Any], Awaitable[None]]
PAGES: dict[str, Door] = {
    "/": show,
    "/hold": hold,
    "/wait": wait,
    "/block": block,
    "/stall": stall,
    "/pieces": pieces,
    "/events": events,
    "/fail": fail,
}
SOCKETS: dict[str, Door] = {
    "/echo": echo,
    "/close": close,
    "/deny": deny,
    "/flood": flood,
    "/deaf": deaf,
}
