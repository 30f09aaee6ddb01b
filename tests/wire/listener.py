"""A client of HTTP+SSE, as plain as can be."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import httpx

from tests.wire.client import CAPABILITIES
from tests.wire.events import Events
from tests.wire.tokens import ALICE

Json = dict[str, Any]

JSON = {"Content-Type": "application/json"}


def bearer(token: str) -> dict[str, str]:
    return {"Host": "127.0.0.1", "Authorization": f"Bearer {token}"}


class Listener:
    """A client that listens to its stream, and posts to the place that it names."""

    def __init__(self, http: httpx.AsyncClient, events: Events, token: str) -> None:
        self.events = events
        self.place = ""
        self.asked: dict[Any, str] = {}
        self._http = http
        self._token = token
        self._ids = count(1)

    async def begin(self) -> None:
        event = await self.events.event()
        assert (event.event, event.id) == ("endpoint", "")
        self.place = event.data.decode()

    async def send(self, body: Any, **headers: str) -> httpx.Response:
        """Post a body; return the whole response."""
        content = body if isinstance(body, bytes) else json.dumps(body)
        sent = bearer(self._token) | JSON | headers
        return await self._http.post(self.place, content=content, headers=sent)

    async def post(self, body: Any) -> None:
        """Post what must be accepted."""
        response = await self.send(body)
        assert (response.status_code, response.text) == (202, "Accepted")

    def message(self, method: str, params: Json | None = None, **more: Any) -> Json:
        id = next(self._ids)
        message = {"jsonrpc": "2.0", "id": id, "method": method, **more}
        self.asked[message["id"]] = method
        return message if params is None else {**message, "params": params}

    def calling(self, tool: str, **arguments: Any) -> Json:
        params = {"name": tool, "arguments": arguments}
        return self.message("tools/call", {**params, "_meta": {"progressToken": 7}})

    async def request(self, method: str, params: Json | None = None) -> Json:
        """Ask, and return what comes next, which must be the response."""
        message = self.message(method, params)
        await self.post(message)
        response = await self.events.message()
        assert response["id"] == message["id"]
        return response

    async def call(self, tool: str, **arguments: Any) -> Json:
        params = {"name": tool, "arguments": arguments}
        result: Json = (await self.request("tools/call", params))["result"]
        return result

    async def shake_hands(self, revision: str) -> Json:
        params = {
            "protocolVersion": revision,
            "capabilities": CAPABILITIES,
            "clientInfo": {"name": "wire", "version": "1"},
        }
        result: Json = (await self.request("initialize", params))["result"]
        await self.post({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return result


@asynccontextmanager
async def listening(
    http: httpx.AsyncClient,
    revision: str | None = None,
    *,
    token: str = ALICE,
    path: str = "/sse",
) -> AsyncIterator[Listener]:
    """Open a stream, and shake hands when a revision is given."""
    async with http.stream("GET", path, headers=bearer(token)) as response:
        listener = Listener(http, Events(response), token)
        await listener.begin()
        if revision is not None:
            await listener.shake_hands(revision)
        yield listener
