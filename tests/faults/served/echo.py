"""A WebSocket that says again what it hears, for what tries WebSockets themselves."""

from __future__ import annotations

from typing import Any


async def application(scope: Any, receive: Any, send: Any) -> None:
    event = await receive()
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        heard = {key: event.get(key) for key in ("text", "bytes")}
        await send({"type": "websocket.send", **heard})
