"""One HTTP request on a socket of its own, which can be cut anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import httptools

HOST = "127.0.0.1"
CHUNK_BYTES = 65_536
# A server that says nothing for so long, not even that it lives, hangs.
SILENCE_S = 60


class Lost(Exception):
    """The connection ended before the reply did, or there was none."""


class Connection:
    """Whoever asks reads the whole reply, or aborts. ``source`` is the address that
    it comes from, if that matters.
    """

    def __init__(self, source: str | None = None) -> None:
        self._local = None if source is None else (source, 0)
        self.status = 0
        self.headers: dict[str, str] = {}
        self.was_cut = False
        self._left: int | None = None
        self._body: list[bytes] = []
        self._has_head = False
        self._is_whole = False
        self._parser = httptools.HttpResponseParser(self)

    async def ask(
        self, port: int, method: str, headers: Mapping[str, str], body: bytes = b""
    ) -> None:
        """Send a request, and read the reply as far as its head.

        Raises Lost, and TimeoutError for a server that hangs.
        """
        lines = [f"{method} /mcp HTTP/1.1", f"Host: {HOST}:{port}"]
        sent = {**headers, "Content-Length": str(len(body))}
        lines += [f"{name}: {value}" for name, value in sent.items()]
        head = "\r\n".join([*lines, "", ""])
        try:
            self._reader, self._writer = await asyncio.open_connection(
                HOST, port, local_addr=self._local
            )
            self._writer.write(head.encode() + body)
        except OSError as error:
            raise Lost(type(error).__name__) from error
        try:
            while not self._has_head:
                await self._feed()
        except asyncio.CancelledError:
            self.abort()
            raise

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes. Raises Lost, and TimeoutError."""
        while True:
            taken, self._body = self._body, []
            for piece in taken:
                yield piece
            if self._is_whole:
                self.abort()
                return
            await self._feed()

    async def whole(self) -> bytes:
        """Return all of the body. Raises Lost, and TimeoutError."""
        try:
            return b"".join([piece async for piece in self.pieces()])
        finally:
            self.abort()

    def cut_after(self, count: int) -> None:
        """Break off behind so many more bytes of the reply."""
        self._left = count

    def abort(self) -> None:
        """Break off at once. Nothing waits for this port afterwards, as it would
        behind a polite end.
        """
        self._writer.transport.abort()

    async def _feed(self) -> None:
        """Take what has come. Raises Lost, and TimeoutError."""
        most = CHUNK_BYTES if self._left is None else min(self._left, CHUNK_BYTES)
        if most == 0:
            self.was_cut = True
            self.abort()
            raise Lost("we have cut it")
        data = await self._received(most)
        if not data:
            self.abort()
            raise Lost("the server closed the connection")
        if self._left is not None:
            self._left -= len(data)
        self._parser.feed_data(data)

    async def _received(self, most: int) -> bytes:
        try:
            async with asyncio.timeout(SILENCE_S):
                return await self._reader.read(most)
        except ConnectionError as error:
            self.abort()
            raise Lost(type(error).__name__) from error

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode().lower()] = value.decode()

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self._has_head = True

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        self._is_whole = True


@dataclass(frozen=True, slots=True)
class ServerSent:
    """One event; ``id`` and ``data`` are empty where it has none."""

    id: str
    data: str


async def events(connection: Connection) -> AsyncIterator[ServerSent]:
    """Yield the events of a reply, comments left out. Raises Lost, and TimeoutError."""
    text = b""
    async for piece in connection.pieces():
        *blocks, text = (text + piece).split(b"\n\n")
        for block in blocks:
            fields = dict(
                line.split(": ", 1)
                for line in block.decode().split("\n")
                if not line.startswith(":")
            )
            if fields:
                yield ServerSent(fields.get("id", ""), fields.get("data", ""))
