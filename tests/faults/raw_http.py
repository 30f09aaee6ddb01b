"""Bytes as they are, to a server, and what it says to them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import httptools

from tests.serving import HOST
from tests.wire.tokens import ALICE

# Who means harm has an address of its own: limits are by address.
ATTACKER = "127.0.0.2"
TOKEN = ALICE
PIECE_BYTES = 65_536
BOUND_S = 20
# How long a server is listened to that seems to have said everything.
QUIET_S = 0.1


@dataclass(frozen=True, slots=True)
class Heard:
    """``statuses`` are those of all replies, in order; ``ended`` tells whether the
    server closed the connection.
    """

    statuses: tuple[int, ...]
    ended: bool


# What is no reply of HTTP/1 counts as one of this status: the body alone, which is
# how HTTP/0.9 is answered.
BARE = 0


class _Replies:
    """Counts replies; what is in them is nothing to us."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.statuses.append(BARE)
        except httptools.HttpParserUpgrade:
            return  # behind 101, which is among the statuses by now

    def on_headers_complete(self) -> None:
        self.statuses.append(self._parser.get_status_code())


class Talk:
    """One connection. It is written to and listened to at once, as a server may
    answer, and stop reading, before all was said.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._replies = _Replies()
        self._ended = False

    async def send(self, pieces: Iterable[bytes]) -> None:
        """Send all, or as much as the server takes."""
        with suppress(ConnectionError):
            for piece in pieces:
                self._writer.write(piece)
                await self._writer.drain()

    async def hear(self, replies: int) -> None:
        """Listen until there are so many replies, and nothing comes after them, or
        the server ends the connection. A server that does neither is left alone
        after BOUND_S.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(BOUND_S):
                while len(self._replies.statuses) < replies and not self._ended:
                    await self._take()

    async def hear_the_rest(self) -> None:
        with suppress(TimeoutError):
            while not self._ended:
                async with asyncio.timeout(QUIET_S):
                    await self._take()

    async def _take(self) -> None:
        try:
            data = await self._reader.read(PIECE_BYTES)
        except ConnectionError:
            data = b""
        if data:
            self._replies.feed(data)
        self._ended = not data

    def heard(self) -> Heard:
        return Heard(tuple(self._replies.statuses), self._ended)

    def half_close(self) -> None:
        with suppress(OSError):
            self._writer.write_eof()

    def leave(self) -> None:
        self._writer.transport.abort()


async def say(
    port: int,
    pieces: Iterable[bytes],
    replies: int,
    *,
    when_asked: Sequence[bytes] = (),
    half_closes: bool = False,
) -> Heard:
    """Send all pieces, and return what is heard, which should be so many replies.

    ``when_asked`` goes out behind the first reply, "100 Continue". Who half-closes
    says that there is no more.
    """
    opening = asyncio.open_connection(HOST, port, local_addr=(ATTACKER, 0))
    talk = Talk(*await opening)
    sending = asyncio.create_task(talk.send(pieces))
    try:
        if when_asked:
            await talk.hear(1)
            await sending
            await talk.send(when_asked)
        if half_closes:
            await sending
            talk.half_close()
        await talk.hear(replies)
        await talk.hear_the_rest()
    finally:
        sending.cancel()
        talk.leave()
    return talk.heard()
