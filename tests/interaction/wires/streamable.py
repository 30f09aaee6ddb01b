"""Streamable HTTP, in a session or without, and with a way back to its streams."""

from __future__ import annotations

import asyncio

import httpx

from mcp_transport.protocol.framing import SSEEvent
from mcp_transport.protocol.messages import Id
from tests.interaction.wires.http import EVENTS, HTTPWire, Stream, read, requests_in
from tests.interaction.wires.wire import Place
from tests.wire.client import mirrored


class StreamableWire(HTTPWire):
    """``returned`` is set once a stream was come back for. ``streams`` are those of
    its requests and its session, with what carries each.
    """

    path = "/mcp"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.returned = asyncio.Event()
        self.session: str | None = None
        self.streams: dict[Stream, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """There is no connection that is not a request's."""

    async def send(self, message: bytes) -> None:
        said, awaited = read(message), requests_in(message)
        if awaited:
            self._follow(Stream(awaited), message)
        elif said.get("method") == "notifications/cancelled":
            await self._cancel(said["params"]["requestId"], message)
        else:
            await self._post(message, Stream(awaited))
        if said.get("method") == "notifications/initialized":
            self._follow(Stream())

    async def _cancel(self, request_id: Id, message: bytes) -> None:
        """A stateless request is cancelled by its connection, which closes."""
        if self.place.revision.stateful:
            await self._post(message, Stream(set()))
        for stream, task in self.streams.items():
            if stream.awaited is not None and request_id in stream.awaited:
                stream.settle(request_id)
                task.cancel()

    def _follow(self, stream: Stream, message: bytes | None = None) -> None:
        task = self._spawn(self._carry(stream, message))
        self.streams[stream] = task

    async def _carry(self, stream: Stream, message: bytes | None) -> None:
        """Read a stream to its end, over as many connections as it takes."""
        if message is not None:
            await self._post(message, stream)
        else:
            await self._come_back(stream)
        while not stream.over and stream.last_event_id:
            await asyncio.sleep(stream.retry_ms / 1000)
            await self._come_back(stream)

    async def _post(self, message: bytes, stream: Stream) -> None:
        headers = {
            "Content-Type": "application/json",
            "Accept": f"application/json, {EVENTS}",
            **self._of_session(),
            **(mirrored(read(message)) if not self.place.revision.stateful else {}),
        }
        async with self._ask("POST", self.path, headers, message) as response:
            self.session = response.headers.get("mcp-session-id", self.session)
            await self._take(response, stream)

    async def _come_back(self, stream: Stream) -> None:
        headers = {"Accept": EVENTS, **self._of_session()}
        if stream.last_event_id:
            headers["Last-Event-ID"] = stream.last_event_id
            self.returned.set()
        async with self._ask("GET", self.path, headers) as response:
            response.raise_for_status()
            await self._take(response, stream)

    def _of_session(self) -> dict[str, str]:
        if not self.place.revision.stateful:
            return {"MCP-Protocol-Version": self.place.revision.name}
        if self.session is None:
            return {}
        return {
            "Mcp-Session-Id": self.session,
            "MCP-Protocol-Version": self.place.revision.name,
        }

    def _hear(self, event: SSEEvent, stream: Stream) -> None:
        if not event.data:
            return
        self._inbox.put_nowait(event.data)
        said = read(event.data)
        if "method" not in said and "id" in said:
            stream.settle(said["id"])

    async def cut(self) -> None:
        await self._stop()

    async def mend(self) -> None:
        """Come back for every stream that has begun and is not over."""
        for stream in list(self.streams):
            if not stream.over and stream.last_event_id:
                self.streams[stream] = self._spawn(self._carry(stream, None))

    async def close(self) -> None:
        """End the session, where there is one."""
        await self._stop()
        try:
            if self.session is not None:
                ended = self._ask("DELETE", self.path, self._of_session())
                async with ended as response:
                    assert response.status_code == httpx.codes.NO_CONTENT
        finally:
            await self._go()


class UnderDjango(StreamableWire):
    """The same under Django's own handler, by the project's urls."""

    path = "/urls/mcp"
