"""A client in the same process: the whole protocol without a port.

For tests, and for Python callers of a catalogue. Every message is encoded and
parsed as on any other door.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp_transport.engine.caller import ANONYMOUS, Caller
from mcp_transport.engine.exchange import Binding
from mcp_transport.engine.server import Server
from mcp_transport.protocol.errors import ProtocolError
from mcp_transport.protocol.revisions import LATEST, REVISIONS, STATEFUL, STATELESS
from mcp_transport.transports.client import Client
from mcp_transport.transports.duplex import serve

BINDING = Binding("in-process", STATEFUL, STATELESS)


class LinkedTransport:
    """One end of a pair: what is sent here is received at the other end."""

    def __init__(self) -> None:
        self._inbox: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._other = self
        self._closed = False
        self.errors: list[ProtocolError] = []

    @classmethod
    def pair(cls) -> tuple[LinkedTransport, LinkedTransport]:
        one, other = cls(), cls()
        one._other, other._other = other, one
        return one, other

    async def start(self) -> None:
        if self._closed:
            raise ConnectionError("this transport was closed")

    async def receive(self) -> bytes | None:
        return await self._inbox.get()

    async def send(self, message: bytes) -> None:
        if self._closed or self._other._closed:
            raise ConnectionError("the other end was closed")
        self._other._inbox.put_nowait(message)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._inbox.put_nowait(None)
            self._other._inbox.put_nowait(None)

    def error(self, error: ProtocolError) -> None:
        self.errors.append(error)


@asynccontextmanager
async def connect(
    server: Server | None = None,
    *,
    caller: Caller = ANONYMOUS,
    revision: str = LATEST.name,
    **options: Any,
) -> AsyncIterator[Client]:
    """Connect a client to ``server``, by default the one of the settings.

    ``revision`` is the protocol revision to speak; in a stateful one the
    handshake is done. Further options are those of ``Client``: elicit, sample,
    roots, notified, log_level, info. Entries that ``caller`` may not use do
    not exist for it.
    """
    if server is None:
        from mcp_transport.conf import get_server

        server = get_server()
    here, there = LinkedTransport.pair()
    serving = asyncio.create_task(serve(server, there, caller, BINDING))
    client = Client(here, REVISIONS[revision], **options)
    try:
        await client.start()
        yield client
    finally:
        await client.close()
        await serving
