"""HTTP on one connection, one request after another, byte by byte as it was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import httptools

HOST = "127.0.0.1"
CHUNK_BYTES = 65_536
# A server that says nothing for so long hangs.
SILENCE_S = 60


class Reply:
    """One response, while it comes. ``headers`` are by lower-case name."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.has_head = False
        self.is_whole = False
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        self._parser.feed_data(data)

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode().lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self.has_head = True

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.is_whole = True


class Line:
    """A connection to a port of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def send(
        self, start: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Reply:
        """Send a request; return the whole reply.

        Raises ConnectionError, and TimeoutError for a server that hangs.
        """
        reply = await self.open(start, headers, body)
        while not reply.is_whole:
            reply.feed(await self._received())
        if reply.headers.get("connection") == "close":
            self.close()
        return reply

    async def open(
        self, start: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Reply:
        """Send a request; return the reply as far as its head, at least."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(HOST, self._port)
        sent = {"Host": f"{HOST}:{self._port}", **headers}
        sent["Content-Length"] = str(len(body))
        lines = [f"{start} HTTP/1.1", *(f"{k}: {v}" for k, v in sent.items())]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self._writer.write(head + body)
        reply = Reply()
        while not reply.has_head:
            reply.feed(await self._received())
        return reply

    async def pieces(self, reply: Reply) -> AsyncIterator[bytes]:
        """Yield the body of an open reply as it comes."""
        while True:
            piece, reply.body = reply.body, b""
            if piece:
                yield piece
            if reply.is_whole:
                return
            reply.feed(await self._received())

    async def _received(self) -> bytes:
        assert self._reader is not None
        async with asyncio.timeout(SILENCE_S):
            data = await self._reader.read(CHUNK_BYTES)
        if not data:
            self.close()
            raise ConnectionError("the server closed the connection")
        return data

    def close(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None
