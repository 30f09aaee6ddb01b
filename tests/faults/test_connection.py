"""What the clients of the fault tests read is what was sent, as far as it came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.faults.connection import HOST, Connection, Lost, ServerSent, events

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n"
PIECES = (b":\n\nid: s.e.0\ndata: \n\nid: s", b".e.1\ndata: {...}\n\n")
BODY = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in PIECES)
END = b"0\r\n\r\n"
EVENTS = [ServerSent("s.e.0", ""), ServerSent("s.e.1", "{...}")]


@asynccontextmanager
async def server(reply: bytes) -> AsyncIterator[int]:
    """Send ``reply`` to whoever asks, and hang up."""

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(answer, HOST, 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


async def asked(port: int) -> Connection:
    connection = Connection()
    await connection.ask(port, "GET", {})
    return connection


async def test_a_whole_reply_is_read() -> None:
    async with server(HEAD + BODY + END) as port:
        connection = await asked(port)
        assert (connection.status, connection.headers["x"]) == (200, "y")
        assert [event async for event in events(connection)] == EVENTS


@pytest.mark.parametrize("reply", [b"", HEAD[:9], HEAD[:-1]])
async def test_a_head_that_breaks_off_is_lost(reply: bytes) -> None:
    async with server(reply) as port:
        with pytest.raises(Lost):
            await asked(port)


async def test_a_body_that_breaks_off_is_lost_behind_its_last_event() -> None:
    async with server(HEAD + BODY) as port:
        connection = await asked(port)
        heard = []
        with pytest.raises(Lost):
            async for event in events(connection):
                heard.append(event)
        assert heard == EVENTS
        assert not connection.was_cut


@pytest.mark.parametrize("count", range(len(BODY)))
async def test_it_is_cut_at_any_byte(count: int) -> None:
    async with server(HEAD + BODY + END) as port:
        connection = Connection()
        connection.cut_after(len(HEAD) + count)
        await connection.ask(port, "GET", {})
        heard = []
        with pytest.raises(Lost):
            async for event in events(connection):
                heard.append(event)
        assert heard == EVENTS[: len(heard)]
        assert connection.was_cut


async def test_nobody_there_is_lost() -> None:
    async with server(b"") as port:
        pass
    with pytest.raises(Lost):
        await asked(port)
