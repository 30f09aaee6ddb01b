"""WebSocket, by a client library that is not ours."""

from __future__ import annotations

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.interaction.wires.wire import STEP_S, Wire


class WebSocketWire(Wire):
    async def start(self) -> None:
        (origin,) = self.place.origins
        self._socket = await connect(
            f"{origin.replace('http', 'ws', 1)}/ws",
            subprotocols=[Subprotocol("mcp")],
            additional_headers=self.place.credential,
            open_timeout=STEP_S,
            ping_interval=None,
            compression=None,
            proxy=None,
        )

    async def send(self, message: bytes) -> None:
        await self._socket.send(message.decode())

    async def receive(self) -> bytes | None:
        try:
            text = await self._socket.recv()
        except ConnectionClosed as closed:
            if closed.rcvd is not None:
                self.refused.append(closed.rcvd.code)
            return None
        assert isinstance(text, str)
        return text.encode()

    async def close(self) -> None:
        await self._socket.close()

    async def cut(self) -> None:
        self._socket.transport.abort()
        await self._socket.wait_closed()
