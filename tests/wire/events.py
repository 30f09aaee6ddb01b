"""A response that is read event by event, while it comes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx

from mcp_transport.protocol.framing import SSEDecoder, SSEEvent
from tests.wire.client import BOUND_S


class Events:
    """The body of a response. ``raw`` is what has come of it so far."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.raw = b""
        self._pieces = response.aiter_bytes()
        self._decoder = SSEDecoder()
        self._events: list[SSEEvent] = []

    @property
    def status(self) -> int:
        return self.response.status_code

    async def piece(self) -> bytes | None:
        """Return the next piece of the body, or None at its end."""
        async with asyncio.timeout(BOUND_S):
            piece = await anext(self._pieces, None)
        self.raw += piece or b""
        return piece

    async def next(self) -> SSEEvent | None:
        """Return the next event, or None at the end."""
        async with asyncio.timeout(BOUND_S):
            while not self._events:
                piece = await self.piece()
                if piece is None:
                    return None
                self._events = self._decoder.feed(piece)
        return self._events.pop(0)

    async def event(self) -> SSEEvent:
        """Return the next event, which must come."""
        event = await self.next()
        assert event is not None, "the stream ended"
        return event

    async def message(self) -> dict[str, Any]:
        """Return what the next event says, which must be a message."""
        event = await self.event()
        assert event.event == "message"
        message: dict[str, Any] = json.loads(event.data)
        return message

    async def rest(self) -> list[SSEEvent]:
        """Return all events up to the end."""
        events = []
        while (event := await self.next()) is not None:
            events.append(event)
        return events
