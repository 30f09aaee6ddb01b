"""The line between a page and a server, which a test can cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from deploy.servers import HOST

CHUNK_BYTES = 65_536


class Line:
    """Passes everything on, until it is cut. ``limits`` are how many bytes of the
    server each connection to come may carry before it is cut by itself. While it
    ``is_down`` whoever comes is ``turned_away``.
    """

    def __init__(self, server_port: int) -> None:
        self.port = 0
        self.limits: list[int] = []
        self.is_down = False
        self.turned_away = asyncio.Event()
        self._server_port = server_port
        self._links: set[asyncio.Task[None]] = set()

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def cut(self) -> None:
        """Break every connection there is, amid whatever it carries."""
        for link in self._links:
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    async def carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        try:
            # asyncio's server logs a cancelled task as one that failed.
            with suppress(asyncio.CancelledError, OSError):
                if self.is_down:
                    self.turned_away.set()
                else:
                    await self._carry(reader, writer)
        finally:
            self._links.discard(task)
            writer.transport.abort()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        theirs, ours = await asyncio.open_connection(HOST, self._server_port)
        ways = [
            asyncio.create_task(self._there(reader, ours)),
            asyncio.create_task(self._back(theirs, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            ours.transport.abort()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _there(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()

    async def _back(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        left: int | None = None
        while data := await reader.read(CHUNK_BYTES):
            if left is None and self.limits and b"text/event-stream" in data:
                left = self.limits.pop(0)
            writer.write(data if left is None else data[:left])
            await writer.drain()
            if left is not None:
                left -= len(data)
                if left <= 0:
                    return


@asynccontextmanager
async def line_to(server_port: int) -> AsyncIterator[Line]:
    line = Line(server_port)
    server = await asyncio.start_server(line.carry, HOST, 0)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        server.close()
        await line.cut()
        await server.wait_closed()
