"""An application that shows what reached it: for what lies in front of one."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

from mcp_transport.handler import Receive, Scope, Send


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await _echo(receive, send)
    elif scope["query_string"]:
        await _stream(Path(os.environ["GATE"]), send)
    else:
        await _show(scope, receive, send)


async def _show(scope: Scope, receive: Receive, send: Send) -> None:
    """Reply with the request as the server understood it."""
    size, more = 0, True
    while more:
        part = await receive()
        size += len(part.get("body", b""))
        more = part.get("more_body", False)
    seen = {
        "pid": os.getpid(),
        "method": scope["method"],
        "scheme": scope["scheme"],
        "path": scope["path"],
        "root_path": scope["root_path"],
        "client": scope["client"][0],
        "size": size,
        "headers": {k.decode(): v.decode("latin-1") for k, v in scope["headers"]},
    }
    await _start(send, b"application/json")
    await send({"type": "http.response.body", "body": json.dumps(seen).encode()})


async def _stream(gate: Path, send: Send) -> None:
    """Send one event, and the second once the file ``gate`` is there."""
    await _start(send, b"text/event-stream")
    event: dict[str, Any] = {"type": "http.response.body", "more_body": True}
    await send({**event, "body": b"data: first\n\n"})
    await asyncio.to_thread(_wait_for, gate)
    await send({**event, "body": b"data: second\n\n", "more_body": False})


def _wait_for(gate: Path) -> None:
    while not gate.exists():
        time.sleep(0.02)


async def _echo(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


async def _start(send: Send, content_type: bytes) -> None:
    headers = [(b"content-type", content_type)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
