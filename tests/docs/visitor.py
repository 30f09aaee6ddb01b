"""A client of the doors of HTTP that writes down what it sends and gets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.docs.recording import Recording
from tests.serving import Served
from tests.wire.tokens import ALICE

Json = dict[str, Any]

EVENTS = "text/event-stream"
BOUND_S = 30
# Who can take both kinds of reply says so.
BOTH = {"Accept": f"application/json, {EVENTS}"}
# Nearly every request has these; recordings that are not whole leave them out.
COMMON = {
    "Authorization": f"Bearer {ALICE}",
    "Content-Type": "application/json",
    **BOTH,
}
# Of a reply's headers, those that tell a client what to do.
SHOWN = ("allow", "content-type", "mcp-session-id", "retry-after", "www-authenticate")


class Reply:
    """The reply to one request, written down as far as it is read."""

    def __init__(
        self, response: httpx.Response, recording: Recording, connection: str
    ) -> None:
        self.headers = response.headers
        self.last_event_id = ""
        self._recording = recording
        self._connection = connection
        self._pieces = response.aiter_bytes()
        self._unread = ""
        self._write(f"HTTP/1.1 {response.status_code} {response.reason_phrase}")
        for name, value in response.headers.raw:
            if name.decode().lower() in SHOWN:
                self._write(f"{name.decode()}: {value.decode()}")
        self._write("")

    def _write(self, line: str) -> None:
        self._recording.received(line, self._connection)

    async def _piece(self) -> str:
        """Return the next piece of the body, which is empty at its end."""
        async with asyncio.timeout(BOUND_S):
            return (await anext(self._pieces, b"")).decode()

    async def event(self) -> str:
        """Read one event, or one comment; return its data."""
        while "\n\n" not in self._unread:
            piece = await self._piece()
            assert piece, f"the stream ended: {self._unread!r}"
            self._unread += piece
        event, _, self._unread = self._unread.partition("\n\n")
        data = ""
        for line in event.split("\n"):
            self._write(line)
            name, _, value = line.partition(": ")
            if name == "id":
                self.last_event_id = value
            elif name == "data":
                data = value
        self._write("")
        return data

    async def rest(self) -> str:
        """Read to the end; return what was there."""
        body = self._unread
        while piece := await self._piece():
            body += piece
        for line in body.splitlines():
            self._write(line)
        if self.headers.get("content-type") == EVENTS:
            self._recording.note("the stream ends")
        return body


class Visitor:
    """Sends requests to one server, with the token of ``alice``."""

    def __init__(self, origin: str, recording: Recording) -> None:
        self._http = httpx.AsyncClient(
            base_url=origin, timeout=BOUND_S, trust_env=False, verify=False
        )
        self._recording = recording

    async def close(self) -> None:
        await self._http.aclose()

    @asynccontextmanager
    async def open(
        self,
        verb: str,
        path: str,
        message: Json | None = None,
        headers: Mapping[str, str] | None = None,
        connection: str = "",
    ) -> AsyncIterator[Reply]:
        """Send one request, and give its reply as it comes."""
        sent = {"Authorization": f"Bearer {ALICE}"}
        body = None
        if message is not None:
            sent["Content-Type"] = "application/json"
            body = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
        sent |= headers or {}
        self._write(f"{verb} {path} HTTP/1.1", sent, body, connection)
        async with self._http.stream(
            verb, path, content=body, headers=sent
        ) as response:
            yield Reply(response, self._recording, connection)

    def _write(
        self, start: str, headers: Mapping[str, str], body: str | None, connection: str
    ) -> None:
        self._recording.sent(start, connection)
        for name, value in headers.items():
            if self._recording.whole or COMMON.get(name) != value:
                self._recording.sent(f"{name}: {value}", connection)
        self._recording.sent("", connection)
        if body is not None:
            self._recording.sent(body, connection)

    async def say(self, verb: str, path: str, *args: Any, **options: Any) -> str:
        """Send one request; return the whole body of its reply."""
        async with self.open(verb, path, *args, **options) as reply:
            return await reply.rest()


@asynccontextmanager
async def visiting(served: Served, recording: Recording) -> AsyncIterator[Visitor]:
    visitor = Visitor(served.origin, recording)
    try:
        yield visitor
    finally:
        await visitor.close()
