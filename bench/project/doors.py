"""The doors without a protocol behind them: what the machine and daphne cost.

POST /message answers 202 and says 200 bytes on the stream of GET /sse; POST /mcp
streams as many events as a call with progress; /ws echoes.
"""

from __future__ import annotations

import asyncio
import gc
from typing import Any

from bench.project.bare import REPLY

EVENT = b"event: message\ndata: %b\n\n" % REPLY
STEPS = 100
STREAM = [(b"content-type", b"text/event-stream")]

streams: dict[bytes, asyncio.Queue[bytes]] = {}

gc.collect()
gc.freeze()


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await echo(receive, send)
    elif scope["path"] == "/sse":
        await stream(send)
    elif scope["path"] == "/message":
        await receive()
        streams[scope["query_string"]].put_nowait(EVENT)
        await reply(send, 202, [(b"content-length", b"8")], b"Accepted")
    elif scope["path"] == "/mcp":
        await receive()
        await start(send, 200, STREAM)
        for _ in range(STEPS):
            await say(send, EVENT)
        await say(send, EVENT, more=False)
    else:
        await reply(send, 404, [(b"content-length", b"0")], b"")


async def echo(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept", "subprotocol": "mcp"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": event["text"]})


async def stream(send: Any) -> None:
    name = b"sessionId=%d" % len(streams)
    streams[name] = asyncio.Queue()
    await start(send, 200, STREAM)
    await say(send, b"event: endpoint\ndata: /message?%b\n\n" % name)
    while True:
        await say(send, await streams[name].get())


async def start(send: Any, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def say(send: Any, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def reply(
    send: Any, status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    await start(send, status, headers)
    await say(send, body, more=False)
