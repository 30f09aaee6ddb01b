"""What is written to peers that read slowly, or not at all."""

from __future__ import annotations

import asyncio

import pytest
from websockets.sync.client import connect as open_socket

from mcp_transport.runner import flow
from mcp_transport.runner.flow import Flow
from tests.runner.kernel import resident_bytes
from tests.runner.wire import ask, connect, get, rest, until
from tests.serving import HOST, Served

OFFERED = 300_000_000
KEPT = 10_000_000


def test_a_reply_that_nobody_reads_does_not_pile_up(served: Served) -> None:
    ask(served, get(b"/"))
    before = resident_bytes(served.pid)
    with connect(served) as unread:
        unread.sendall(get(b"/pieces?bytes=%d" % OFFERED))
        until(unread, b"x")
        for _ in range(5):
            assert ask(served, get(b"/")).status == 200
        assert resident_bytes(served.pid) - before < KEPT


def test_nor_does_what_a_websocket_says(served: Served) -> None:
    ask(served, get(b"/"))
    before = resident_bytes(served.pid)
    uri = f"ws://{HOST}:{served.port}/flood?bytes={OFFERED}"
    with open_socket(uri, max_queue=1, compression=None) as unread:
        unread.recv()
        for _ in range(5):
            assert ask(served, get(b"/")).status == 200
        assert resident_bytes(served.pid) - before < KEPT
        unread.socket.close()


def test_a_reply_arrives_whole_at_a_slow_reader(served: Served) -> None:
    with connect(served) as connection:
        connection.sendall(get(b"/pieces?bytes=20000000"))
        assert rest(connection).count(b"x") > 20_000_000 - 65_536


class Transport:
    """Twisted's buffers, and the end of a connection."""

    def __init__(self) -> None:
        self.dataBuffer = b"x" * 100
        self.offset = 0
        self.aborted = asyncio.Event()

    def take(self) -> None:
        self.offset += 1

    def abortConnection(self) -> None:
        self.aborted.set()


async def test_only_who_takes_nothing_is_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(flow, "STALL_S", 0.2)
    transport = Transport()
    watched = Flow(transport)
    watched.pauseProducing()
    # Timers of one loop go off in their order, however late it is.
    for number in range(1, 11):
        asyncio.get_running_loop().call_later(0.05 * number, transport.take)
    async with asyncio.timeout(10):
        await transport.aborted.wait()
    assert transport.offset == 10


async def test_who_waits_goes_on_when_all_is_written() -> None:
    watched = Flow(Transport())
    await watched.emptied()
    watched.pauseProducing()
    assert watched.full
    waiting = [asyncio.create_task(watched.emptied()) for _ in range(2)]
    await asyncio.sleep(0)
    watched.resumeProducing()
    async with asyncio.timeout(10):
        await asyncio.gather(*waiting)
    assert not watched.full
