"""A client of the sessions of HTTP, which says what it is told to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Self

import httpx

from deploy.servers import Served
from mcp_transport.protocol.framing import SSEDecoder, SSEEvent
from mcp_transport.protocol.peer import CAPABILITIES_KEY, VERSION_KEY
from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL
from tests.faults.verdict import require

Json = dict[str, Any]

BOUND_S = 20
NOT_FOUND = 404
BOTH = "application/json, text/event-stream"


class Client:
    """One token at one process."""

    def __init__(self, member: Served, token: str) -> None:
        self.credential = {"Authorization": f"Bearer {token}"}
        self._ids = count(1)
        self._http = httpx.AsyncClient(
            base_url=member.origin,
            headers={**self.credential, "Accept": BOTH},
            trust_env=False,
            timeout=BOUND_S,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    @property
    def handshake(self) -> bytes:
        return _message("initialize", f"handshake.{next(self._ids)}", _HELLO)

    # Sessions.

    async def open(self) -> str:
        """Shake hands to the end; return the session's id."""
        session = await self.begin()
        ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        await self._http.post("/mcp", headers=_named(session), json=ready)
        return session

    async def begin(self, path: str = "/mcp", chosen: str | None = None) -> str:
        """Ask for a session, perhaps under an id of our own; return its id."""
        headers = _JSON if chosen is None else _named(chosen)
        reply = await self._http.post(path, headers=headers, content=self.handshake)
        require(reply.status_code == 200, f"initialize: {reply} {reply.text}")
        session: str = reply.headers["mcp-session-id"]
        return session

    async def of_session(
        self, verb: str, session: str, *, path: str = "/mcp", last: str | None = None
    ) -> httpx.Response:
        """Ask for something with a session's id: POST is a ping."""
        headers = {**_named(session), **({"Last-Event-ID": last} if last else {})}
        ping = _message("ping", f"ping.{next(self._ids)}", {})
        content = ping if verb == "POST" else None
        return await self._http.request(verb, path, headers=headers, content=content)

    async def call(
        self, session: str, id: int, tool: str, **arguments: str
    ) -> httpx.Response:
        params = {"name": tool, "arguments": arguments}
        message = _message("tools/call", f"call.{id}", params)
        return await self._http.post("/mcp", headers=_named(session), content=message)

    async def subscribe(self, session: str, uri: str) -> None:
        id = f"subscribe.{next(self._ids)}"
        message = _message("resources/subscribe", id, {"uri": uri})
        reply = await self._http.post("/mcp", headers=_named(session), content=message)
        require("result" in reply.json(), f"subscribe: {reply.text}")

    @asynccontextmanager
    async def stream(self, session: str) -> AsyncIterator[Stream]:
        """Open the stream of a session."""
        headers = _named(session)
        async with self._http.stream("GET", "/mcp", headers=headers) as response:
            require(response.status_code == 200, f"the stream of a session: {response}")
            yield Stream(response)

    # What needs none.

    async def post(
        self, headers: Mapping[str, str], method: str, params: Json | None = None
    ) -> httpx.Response:
        message = _message(method, "post", params or {})
        return await self._http.post(
            "/mcp", headers={**_JSON, **headers}, content=message
        )

    async def touch(self, uri: str) -> None:
        """Have it said that a note has changed."""
        meta = {VERSION_KEY: LATEST.name, CAPABILITIES_KEY: {}}
        call = {"name": "touch", "arguments": {"uri": uri}, "_meta": meta}
        mirrored = {
            "MCP-Protocol-Version": LATEST.name,
            "Mcp-Method": "tools/call",
            "Mcp-Name": "touch",
        }
        reply = await self.post(mirrored, "tools/call", call)
        require("result" in reply.json(), f"touch: {reply.text}")

    async def message(self, path: str) -> httpx.Response:
        """Post a ping to the place that an HTTP+SSE session names."""
        content = _message("ping", "message", {})
        return await self._http.post(path, headers=_JSON, content=content)

    async def endpoint(self, path: str, chosen: str) -> str:
        """Open an HTTP+SSE session, with an id of our own; return its place."""
        query = {"sessionId": chosen}
        asked = self._http.stream("GET", path, params=query, headers=_named(chosen))
        async with asked as response:
            require(response.status_code == 200, f"/sse: {response}")
            event = await Stream(response).event()
        assert event is not None
        return event.data.decode()

    async def kept(self) -> dict[str, int]:
        """Return what the process keeps: sessions, streams, bytes."""
        kept: dict[str, int] = (await self._http.get("/kept")).json()
        return kept


class Stream:
    """A stream of events, while it comes."""

    def __init__(self, response: httpx.Response) -> None:
        self._pieces = response.aiter_bytes()
        self._decoder = SSEDecoder()
        self._events: list[SSEEvent] = []

    async def event(self) -> SSEEvent | None:
        """Return the next event, or None at the end of the stream."""
        while not self._events:
            piece = await anext(self._pieces, None)
            if piece is None:
                return None
            self._events = self._decoder.feed(piece)
        return self._events.pop(0)

    async def event_id(self) -> str:
        event = await self.event()
        assert event is not None
        return event.id

    async def hears(self, uri: str) -> bool:
        """Tell whether the next message says that a note has changed."""
        while (event := await self.event()) is not None:
            if event.data:
                said: Json = json.loads(event.data)
                return bool(said["params"]["uri"] == uri)
        return False

    async def ends(self) -> None:
        while await self.event() is not None:
            pass


def is_gone(reply: httpx.Response) -> bool:
    """Tell whether a reply is the one to who names no session that there is."""
    said = "Session not found"
    return reply.status_code == NOT_FOUND and reply.json()["error"]["message"] == said


def _message(method: str, id: str, params: Json) -> bytes:
    message = {"jsonrpc": "2.0", "id": id, "method": method, "params": params}
    return json.dumps(message).encode()


def _named(session: str) -> dict[str, str]:
    return {
        **_JSON,
        "MCP-Protocol-Version": LATEST_STATEFUL.name,
        "Mcp-Session-Id": session,
    }


_JSON = {"Content-Type": "application/json"}
_HELLO: Json = {
    "protocolVersion": LATEST_STATEFUL.name,
    "capabilities": {},
    "clientInfo": {"name": "security", "version": "1"},
}
