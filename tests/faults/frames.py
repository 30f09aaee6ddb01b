"""WebSocket frames as they are, those that nobody should send among them.

RFC 6455 section 5.2.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import IntEnum

from tests.faults.raw_http import ATTACKER, TOKEN
from tests.serving import HOST

BOUND_S = 60
# Any 16 bytes will do, and zeros mask nothing: that costs us least.
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
MASK = bytes(4)
OFFER: Mapping[str, str] = {
    "Host": HOST,
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "mcp",
    "Authorization": f"Bearer {TOKEN}",
}

Frame = tuple[int, bytes]


class Opcode(IntEnum):
    MORE = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    masked: bool = True,
) -> bytes:
    return head(opcode, len(payload), fin=fin, rsv=rsv, masked=masked) + payload


def head(
    opcode: int,
    length: int,
    *,
    fin: bool = True,
    rsv: int = 0,
    masked: bool = True,
) -> bytes:
    """Return all that is before the payload, in the shortest form."""
    first, mask = fin << 7 | rsv << 4 | opcode, masked << 7
    if length < 126:
        said = struct.pack("!BB", first, mask | length)
    elif length < 1 << 16:
        said = struct.pack("!BBH", first, mask | 126, length)
    else:
        said = struct.pack("!BBQ", first, mask | 127, length)
    return said + (MASK if masked else b"")


def close(code: int, reason: bytes = b"") -> bytes:
    return frame(Opcode.CLOSE, struct.pack("!H", code) + reason)


def fragments(opcode: int, pieces: Iterable[bytes]) -> Iterable[bytes]:
    """Yield one message, a frame for each piece."""
    for piece in pieces:
        yield frame(opcode, piece, fin=False)
        opcode = Opcode.MORE
    yield frame(opcode)


def offer(start: str = "GET /ws HTTP/1.1", **changed: str | None) -> bytes:
    """Return a handshake with other values of headers, by their names with "_" for
    "-"; None leaves one out.
    """
    named = {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [f"{name}: {value}" for name, value in {**OFFER, **named}.items() if value]
    return "\r\n".join([start, *lines, "", ""]).encode()


class Refused(Exception):
    """The server did not accept the handshake."""


class Socket:
    """The client's end. Nothing is answered by itself, no ping and no close."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Socket:
        """Raises Refused, and TimeoutError."""
        opening = asyncio.open_connection(HOST, port, local_addr=(ATTACKER, 0))
        reader, writer = await opening
        writer.write(offer())
        async with asyncio.timeout(BOUND_S):
            said = await reader.readuntil(b"\r\n\r\n")
        if not said.startswith(b"HTTP/1.1 101 "):
            raise Refused(said[:100])
        return cls(reader, writer)

    async def send(self, pieces: Iterable[bytes]) -> None:
        """Send all, or as much as the server takes."""
        with suppress(ConnectionError):
            for piece in pieces:
                self._writer.write(piece)
                await self._writer.drain()

    async def hear(self) -> Frame | None:
        """Return the next frame's opcode and payload, or None behind the last.

        Raises TimeoutError.
        """
        try:
            async with asyncio.timeout(BOUND_S):
                first, length = await self._reader.readexactly(2)
                if length >= 126:
                    form, size = ("!H", 2) if length == 126 else ("!Q", 8)
                    longer = await self._reader.readexactly(size)
                    (length,) = struct.unpack(form, longer)
                payload = await self._reader.readexactly(length)
        except (ConnectionError, asyncio.IncompleteReadError):
            return None
        return first & 0x0F, payload

    def leave(self) -> None:
        self._writer.transport.abort()


def code_of(heard: Frame | None) -> int | None:
    """Return the code of a close frame; None where a connection just ended."""
    if heard is None or len(heard[1]) < 2:
        return None
    (code,) = struct.unpack("!H", heard[1][:2])
    return int(code)
