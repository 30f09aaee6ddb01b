"""The client's end of a WebSocket, by a library that is not ours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from mcp_transport.protocol.errors import ProtocolError
from mcp_transport.protocol.revision import Revision
from mcp_transport.transports.client import Client
from tests.serving import Served
from tests.wire.tokens import ALICE

BOUND_S = 20
ALICES: Mapping[str, str] = {"Authorization": f"Bearer {ALICE}"}


def opened(
    served: Served,
    *,
    path: str = "/ws",
    host: str = "127.0.0.1",
    subprotocols: Sequence[str] = ("mcp",),
    headers: Mapping[str, str] = ALICES,
) -> connect:
    """Return a connection to be awaited, or entered. ``host`` is the Host header's."""
    return connect(
        f"ws://{host}:{served.port}{path}",
        host="127.0.0.1",
        subprotocols=[Subprotocol(name) for name in subprotocols],
        additional_headers=headers,
        open_timeout=BOUND_S,
        ping_interval=None,
        proxy=None,
    )


class WebSocketTransport:
    """An open connection as a Transport for ``Client``."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def start(self) -> None:
        """It is open already."""

    async def receive(self) -> bytes | None:
        try:
            text = await self._socket.recv()
        except ConnectionClosed:
            return None
        assert isinstance(text, str)
        return text.encode()

    async def send(self, message: bytes) -> None:
        await self._socket.send(message.decode())

    async def close(self) -> None:
        await self._socket.close()

    def error(self, error: ProtocolError) -> None:
        raise error


@asynccontextmanager
async def connected(
    served: Served,
    revision: Revision,
    *,
    subprotocols: Sequence[str] = ("mcp",),
    headers: Mapping[str, str] = ALICES,
    **options: Any,
) -> AsyncIterator[Client]:
    """A client that has shaken hands, where the revision has it."""
    opening = opened(served, subprotocols=subprotocols, headers=headers)
    async with opening as socket:
        client = Client(WebSocketTransport(socket), revision, **options)
        await client.start()
        yield client
        await client.close()
