"""HTTP+SSE: one stream that all is heard on, and POSTs that say the rest."""

from __future__ import annotations

import asyncio

from mcp_transport.protocol.framing import SSEEvent
from tests.interaction.wires.http import EVENTS, HTTPWire, Stream
from tests.interaction.wires.wire import Place


class SSEWire(HTTPWire):
    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.endpoint = asyncio.get_running_loop().create_future()

    async def start(self) -> None:
        self._spawn(self._listen())
        await self.endpoint

    async def _listen(self) -> None:
        async with self._ask("GET", "/sse", {"Accept": EVENTS}) as response:
            await self._take(response, Stream())
        self._inbox.put_nowait(None)

    def _hear(self, event: SSEEvent, stream: Stream) -> None:
        assert event.id == ""
        if event.event == "endpoint":
            self.endpoint.set_result(event.data.decode())
        else:
            assert event.event == "message"
            self._inbox.put_nowait(event.data)

    async def send(self, message: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        path = await self.endpoint
        async with self._ask("POST", path, headers, message) as response:
            await self._take(response, Stream())

    async def close(self) -> None:
        await self._go()

    async def cut(self) -> None:
        await self._go()
