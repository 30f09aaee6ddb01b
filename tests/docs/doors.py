"""The other doors: HTTP+SSE, the plain dialect, WebSocket, stdio."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE

from websockets.asyncio.client import ClientConnection

from tests.docs.messages import called, initialize, initialized, to_oslo
from tests.docs.recording import Recording
from tests.docs.shop import SETTINGS, Shop
from tests.docs.streamable import complete
from tests.docs.visitor import BOUND_S, EVENTS, Json, visiting
from tests.serving import ROOT
from tests.websocket.client import opened
from tests.wire.tokens import ALICE

NAMED = {"X-Session-ID": "desk"}


def written(message: Json) -> str:
    return json.dumps(message, separators=(",", ":"))


# HTTP+SSE.


async def sse(recording: Recording, shop: Shop) -> None:
    async with (
        visiting(shop.served, recording) as visitor,
        visitor.open("GET", "/sse", None, {"Accept": EVENTS}, connection="1") as stream,
    ):
        place = await stream.event()
        await visitor.say("POST", place, initialize("2024-11-05"), connection="2")
        await stream.event()
        await visitor.say("POST", place, initialized(), connection="2")
        call = called(2, "count_orders", status="open")
        await visitor.say("POST", place, call, connection="2")
        await stream.event()
    recording.note("the client closes connection 1, and with it the session")


# The plain dialect.


async def plain_json(recording: Recording, shop: Shop) -> None:
    message = called(1, "count_orders", status="open")
    async with visiting(shop.served, recording) as visitor:
        await visitor.say("POST", "/mcp", message, NAMED)


async def plain_events(recording: Recording, shop: Shop) -> None:
    accepting = {**NAMED, "Accept": EVENTS}
    async with visiting(shop.served, recording) as visitor:
        await visitor.say("POST", "/mcp", called(2, "recount"), accepting)


async def plain_batch(recording: Recording, shop: Shop) -> None:
    asked = [
        {
            "id": status,
            "method": "tools/call",
            "params": {"name": "count_orders", "arguments": {"status": status}},
        }
        for status in ("open", "sent")
    ]
    message = {
        "jsonrpc": "2.0",
        "id": 3,
        "method": "batch",
        "params": {"requests": asked},
    }
    async with visiting(shop.served, recording) as visitor:
        await visitor.say("POST", "/mcp", message, NAMED)


async def plain_timeout(recording: Recording, shop: Shop) -> None:
    async with visiting(shop.served, recording) as visitor:
        await visitor.say("POST", "/mcp", called(4, "stocktake"), NAMED)


async def plain_stream(recording: Recording, shop: Shop) -> None:
    async with (
        visiting(shop.served, recording) as visitor,
        visitor.open("GET", "/mcp?session=desk", connection="1") as stream,
    ):
        await stream.event()
        change = called(5, "restock")
        await visitor.say("POST", "/mcp", change, NAMED, connection="2")
        await stream.event()


# WebSocket.


async def websocket(recording: Recording, shop: Shop) -> None:
    async with opened(shop.served) as socket:
        _shook_hands(recording, socket)
        await _say(recording, socket, initialize("2025-11-25", elicitation={}))
        await _hear(recording, socket)
        await _say(recording, socket, initialized())
        await _say(recording, socket, called(2, "ship", pk=7))
        question = await _hear(recording, socket)
        await _say(recording, socket, called(3, "count_orders", status="open"))
        await _hear(recording, socket)
        await _say(recording, socket, to_oslo(question))
        await _hear(recording, socket)


async def websocket_stranger(recording: Recording, shop: Shop) -> None:
    subprotocols = ["mcp", "token-wrong"]
    async with opened(shop.served, subprotocols=subprotocols, headers={}) as socket:
        _shook_hands(recording, socket)
        async with asyncio.timeout(BOUND_S):
            await socket.wait_closed()
        recording.received(f"close {socket.close_code}")


def _shook_hands(recording: Recording, socket: ClientConnection) -> None:
    request, response = socket.request, socket.response
    assert request is not None
    assert response is not None
    recording.sent(f"GET {request.path} HTTP/1.1")
    recording.sent("Upgrade: websocket")
    for name in ("Sec-WebSocket-Protocol", "Authorization"):
        if name in request.headers:
            recording.sent(f"{name}: {request.headers[name]}")
    recording.sent("")
    recording.received(f"HTTP/1.1 {response.status_code} {response.reason_phrase}")
    chosen = response.headers["Sec-WebSocket-Protocol"]
    recording.received(f"Sec-WebSocket-Protocol: {chosen}")
    recording.received("")


async def _say(recording: Recording, socket: ClientConnection, message: Json) -> None:
    recording.sent(written(message))
    await socket.send(written(message))


async def _hear(recording: Recording, socket: ClientConnection) -> str:
    async with asyncio.timeout(BOUND_S):
        text = await socket.recv()
    assert isinstance(text, str)
    recording.received(text)
    return text


# Standard input and output.


async def stdio(recording: Recording, shop: Shop) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "django", "mcp", "stdio"),
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "MCP_TOKEN": ALICE,
        },
        stdin=PIPE,
        stdout=PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    message = complete(called(1, "recount"), progressToken="p")
    recording.sent(written(message))
    process.stdin.write(f"{written(message)}\n".encode())
    recording.note("the client closes the server's standard input")
    process.stdin.close()
    async with asyncio.timeout(BOUND_S):
        async for line in process.stdout:
            recording.received(line.decode().rstrip("\n"))
        recording.note(f"the process ends with status {await process.wait()}")
