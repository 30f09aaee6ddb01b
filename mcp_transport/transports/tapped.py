"""A connection whose messages are shown as they come and go, for debugging."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp_transport.engine.observing import Wire
from mcp_transport.protocol.errors import ProtocolError

if TYPE_CHECKING:
    from mcp_transport.transports.duplex import Transport


class Tapped:
    """A Transport over another one."""

    def __init__(self, transport: Transport, wire: Wire, door: str) -> None:
        self._transport = transport
        self._wire = wire
        self._door = door

    async def start(self) -> None:
        await self._transport.start()

    async def receive(self) -> bytes | None:
        message = await self._transport.receive()
        if message is not None:
            self._wire.received(self._door, message)
        return message

    async def send(self, message: bytes) -> None:
        self._wire.sent(self._door, message)
        await self._transport.send(message)

    async def close(self) -> None:
        await self._transport.close()

    def error(self, error: ProtocolError) -> None:
        self._transport.error(error)
