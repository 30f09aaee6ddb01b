"""What the doors of HTTP have in common: a POST for each message, to one server
after the other, and streams of events.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import httpx

from mcp_transport.protocol.framing import SSEDecoder, SSEEvent
from mcp_transport.protocol.messages import Id
from tests.interaction.wires.wire import STEP_S, Place, Wire

Json = dict[str, Any]
EVENTS = "text/event-stream"


@dataclass(eq=False)
class Stream:
    """A stream of events over all the connections that carry it.

    ``awaited`` are the ids of the requests that it is to answer yet, or None for
    the session's own stream, which has no end.
    """

    awaited: set[Id] | None = None
    last_event_id: str = ""
    retry_ms: int = 0

    @property
    def over(self) -> bool:
        return self.awaited is not None and not self.awaited

    def settle(self, *ids: Id) -> None:
        """Nothing more is awaited for these ids, or without any for all."""
        if self.awaited is not None:
            self.awaited -= set(ids) if ids else set(self.awaited)


class HTTPWire(Wire):
    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._origins = cycle(place.origins)
        self._http = httpx.AsyncClient(
            verify=False,
            trust_env=False,
            timeout=STEP_S,
            headers=place.credential,
        )

    def _ask(
        self,
        verb: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """Send a request to the next server; its reply comes piece by piece."""
        return self._http.stream(
            verb, next(self._origins) + path, headers=headers, content=body
        )

    async def _take(self, response: httpx.Response, stream: Stream) -> None:
        """Hear what a reply says, be it one message or a stream of them."""
        if response.headers.get("content-type") == EVENTS:
            async for event in events(response, stream):
                self._hear(event, stream)
            return
        body = await response.aread()
        if response.is_error:
            self.refused.append(response.status_code)
        stream.settle()
        if body and response.headers["content-type"] == "application/json":
            self._inbox.put_nowait(body)

    @abstractmethod
    def _hear(self, event: SSEEvent, stream: Stream) -> None:
        """Take one event."""

    async def _go(self) -> None:
        """Close every connection."""
        try:
            await self._stop()
        finally:
            await self._http.aclose()


async def events(response: httpx.Response, stream: Stream) -> AsyncIterator[SSEEvent]:
    """Yield the events of a reply; what to come back with is kept in ``stream``."""
    decoder = SSEDecoder()
    async for piece in response.aiter_bytes():
        for event in decoder.feed(piece):
            stream.last_event_id = event.id or stream.last_event_id
            stream.retry_ms = event.retry_ms or stream.retry_ms
            yield event


def read(message: bytes) -> Json:
    """Return a message of ours; what is none, on purpose, has no members."""
    try:
        said = json.loads(message)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def requests_in(message: bytes) -> set[Id]:
    """Return the ids of the requests in a message or a batch."""
    try:
        said = json.loads(message)
    except ValueError:
        return set()
    items = said if isinstance(said, list) else [said]
    return {
        item["id"]
        for item in items
        if isinstance(item, dict) and {"id", "method"} <= item.keys()
    }
