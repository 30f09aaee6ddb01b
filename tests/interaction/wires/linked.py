"""In-process: a pair of ends, the other of which is served right here."""

from __future__ import annotations

import asyncio

from mcp_transport.conf import get_server
from mcp_transport.transports.duplex import serve
from mcp_transport.transports.inprocess import BINDING, LinkedTransport
from tests.interaction.wires.wire import Wire
from tests.wire.tokens import CALLERS


class LinkedWire(Wire):
    async def start(self) -> None:
        self._here, there = LinkedTransport.pair()
        caller = CALLERS[self.place.token]
        self._serving = asyncio.create_task(serve(get_server(), there, caller, BINDING))
        await self._here.start()

    async def send(self, message: bytes) -> None:
        await self._here.send(message)

    async def receive(self) -> bytes | None:
        return await self._here.receive()

    async def close(self) -> None:
        await self._here.close()
        await self._serving

    async def cut(self) -> None:
        await self.close()
