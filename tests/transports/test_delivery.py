from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mcp_transport import Context, Shelf
from mcp_transport.engine.caller import ANONYMOUS
from mcp_transport.engine.eventlog import Gone
from mcp_transport.engine.exchange import Exchange
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.server import Server
from mcp_transport.engine.session import Session
from mcp_transport.protocol.framing import SSEDecoder, SSEEvent
from mcp_transport.protocol.revisions import LATEST, REVISIONS
from mcp_transport.stores.memory import MemoryEvents, MemorySessions
from mcp_transport.transports.delivery import (
    RETRY_MS,
    STANDING,
    Deliveries,
    first_words,
    live,
)
from tests.engine.exchanges import PATIENCE_S, opened, serving, session_of

PLAIN = REVISIONS["2025-06-18"]
PRIMING = REVISIONS["2025-11-25"]
COMMENT = b":\n\n"

shelf = Shelf()


@shelf.tool
async def count(ctx: Context, to: int) -> str:
    """Log every number, all at once."""
    for number in range(1, to + 1):
        ctx.log("info", number)
    return "counted"


@shelf.tool
async def wait(ctx: Context, name: str, aloud: bool = False) -> str:
    """Wait until the test says so."""
    if aloud:
        ctx.log("info", "waiting")
    await gates.setdefault(name, asyncio.Event()).wait()
    return name


@shelf.tool
async def part(ctx: Context) -> str:
    """Let the connection go."""
    ctx.log("info", "before")
    ctx.close_stream(retry_ms=7)
    await gates.setdefault("part", asyncio.Event()).wait()
    return "after"


gates: dict[str, asyncio.Event] = {}


@pytest.fixture(autouse=True)
def _closed_gates() -> None:
    gates.clear()


def call(server: Server, tool: str, session: Session | None, **given: Any) -> Exchange:
    params = {"name": tool, "arguments": given}
    if session is None:
        return opened(server, "tools/call", params, revision=LATEST, log_level="info")
    return opened(server, "tools/call", params, session=session, id=len(gates) + 1)


class Bench:
    """A server, one session, and the deliveries between them."""

    def __init__(self, revision: Any = PLAIN, **limits: Any) -> None:
        self.limits = Limits(**limits)
        self.server = serving(shelf, limits=self.limits)
        self.session = session_of(revision, ANONYMOUS, log_level="info")
        self.events = MemoryEvents(self.limits)
        self.sessions = MemorySessions(self.limits, self.events)
        self.deliveries = Deliveries(self.sessions, self.events, self.limits)

    async def record(self, tool: str, **given: Any) -> str:
        exchange = call(self.server, tool, self.session, **given)
        return await self.deliveries.record(self.session, exchange.take(), [exchange])

    async def recorded(self) -> None:
        """Wait until nothing is recorded any more."""
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*self.deliveries._recordings)

    async def read(self, stream: str, after: int = 0) -> Reading:
        pieces, release = await self.deliveries.read(self.session, stream, after)
        return Reading(pieces, release)


class Reading:
    """What one connection reads of a stream."""

    def __init__(self, pieces: AsyncIterator[bytes], release: Any) -> None:
        self.release = release
        self._pieces = pieces
        self._decoder = SSEDecoder()

    async def piece(self) -> bytes | None:
        async with asyncio.timeout(PATIENCE_S):
            return await anext(self._pieces, None)

    async def rest(self) -> list[SSEEvent]:
        events: list[SSEEvent] = []
        while (piece := await self.piece()) is not None:
            events += self._decoder.feed(piece)
        self.release()
        return events


def data(events: list[SSEEvent]) -> list[Any]:
    """Return what was logged, and the text of the response."""
    messages = [json.loads(event.data) for event in events if event.data]
    return [
        m["params"]["data"] if "method" in m else m["result"]["content"][0]["text"]
        for m in messages
    ]


# first_words


async def test_first_words_are_heard_while_the_others_are_silent() -> None:
    server = serving(shelf)
    session = session_of(PLAIN, log_level="info")
    silent = call(server, "wait", session, name="a")
    speaking = call(server, "wait", session, name="b", aloud=True)
    async with asyncio.timeout(PATIENCE_S / 2):
        await first_words([silent, speaking], PATIENCE_S)
    assert (silent.ready, speaking.pending, speaking.done) == (False, 1, False)


async def test_first_words_wait_for_every_response() -> None:
    server = serving(shelf)
    one = call(server, "wait", None, name="a")
    two = call(server, "wait", None, name="b")
    hearing = asyncio.create_task(first_words([one, two], PATIENCE_S))
    await asyncio.sleep(0)
    gates["a"].set()
    await one.call.ended()
    await asyncio.sleep(0)
    assert not hearing.done()
    gates["b"].set()
    async with asyncio.timeout(PATIENCE_S):
        await hearing
    assert (one.done, two.done) == (True, True)


async def test_first_words_have_an_end_without_a_word() -> None:
    exchange = call(serving(shelf), "wait", None, name="a")
    await first_words([exchange], 0.001)
    assert not exchange.ready
    await first_words([], 0)
    exchange.leave()


async def test_first_words_can_be_interrupted() -> None:
    exchange = call(serving(shelf), "wait", None, name="a")
    hearing = asyncio.create_task(first_words([exchange], PATIENCE_S))
    await asyncio.sleep(0)
    hearing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hearing
    gates["a"].set()
    async with asyncio.timeout(PATIENCE_S):
        assert len([message async for message in exchange]) == 1


# live


async def test_a_live_stream_begins_at_once_and_speaks_in_one_piece() -> None:
    limits = Limits()
    ready = call(serving(shelf), "count", None, to=3)
    (piece,) = [piece async for piece in live(ready, limits)]
    assert data(SSEDecoder().feed(piece)) == [1, 2, 3, "counted"]
    assert b"id:" not in piece
    silent = call(serving(shelf), "wait", None, name="a")
    pieces = live(silent, limits)
    assert await anext(pieces) == COMMENT
    gates["a"].set()
    assert data(SSEDecoder().feed(await anext(pieces))) == ["a"]
    assert await anext(pieces, None) is None


async def test_a_live_stream_gives_signs_of_life() -> None:
    exchange = call(serving(shelf), "wait", None, name="a")
    pieces = live(exchange, Limits(keep_alive_s=0.001))
    assert [await anext(pieces) for _ in range(3)] == [COMMENT] * 3
    exchange.leave()
    assert await anext(pieces, None) is None


# Deliveries


@pytest.mark.parametrize("revision", [PLAIN, PRIMING])
async def test_a_recorded_call_is_read_from_where_one_wants(revision: Any) -> None:
    bench = Bench(revision)
    stream = await bench.record("count", to=3)
    primed = int(revision is PRIMING)
    events = await (await bench.read(stream)).rest()
    assert data(events) == [1, 2, 3, "counted"]
    assert [e.data == b"" for e in events] == [True] * primed + [False] * 4
    places = [bench.deliveries.position(event.id) for event in events]
    assert places == [(stream, n) for n in range(1 - primed, 5)]
    for after in range(5):
        again = await bench.read(stream, after)
        assert data(await again.rest()) == [1, 2, 3, "counted"][after:]


async def test_what_is_not_there_cannot_be_read() -> None:
    bench = Bench()
    stream = await bench.record("count", to=3)
    await (await bench.read(stream)).rest()
    for name, after in (("f" * 16, 0), (stream, 5), (STANDING, 1)):
        with pytest.raises(Gone):
            await bench.deliveries.read(bench.session, name, after)
    other = session_of(PLAIN)
    with pytest.raises(Gone):
        await bench.deliveries.read(other, stream, 0)


@pytest.mark.parametrize(
    "id", ["", "0", "0..1", "0.{0}.", "0.{0}.-1", "0.{0}.x", "0.{0}.1 ", "0.{0}x.1"]
)
def test_an_id_that_was_never_given_names_no_place(id: str) -> None:
    bench = Bench()
    with pytest.raises(Gone):
        bench.deliveries.position(id.format(bench.events.epoch))


def test_an_id_of_another_memory_names_no_place() -> None:
    one, two = Bench(), Bench()
    place = f"0.{one.events.epoch}.3"
    assert one.deliveries.position(place) == (STANDING, 3)
    with pytest.raises(Gone):
        two.deliveries.position(place)


@pytest.mark.parametrize("limits", [{"replay_events": 3}, {"replay_bytes": 300}])
async def test_a_burst_waits_for_who_reads_it(limits: dict[str, int]) -> None:
    bench = Bench(**limits)
    stream = await bench.record("count", to=50)
    reading = await bench.read(stream)
    assert await reading.piece() == COMMENT
    for _ in range(100):  # the reader is slow, and the burst is there
        await asyncio.sleep(0)
    assert data(await reading.rest()) == [*range(1, 51), "counted"]


async def test_a_burst_that_nobody_reads_keeps_its_end() -> None:
    bench = Bench(replay_events=3)
    stream = await bench.record("count", to=50)
    await bench.recorded()
    with pytest.raises(Gone):
        await bench.read(stream)
    assert data(await (await bench.read(stream, 48)).rest()) == [49, 50, "counted"]


async def test_a_reader_that_leaves_holds_nothing_up() -> None:
    bench = Bench(replay_events=3)
    stream = await bench.record("count", to=50)
    reading = await bench.read(stream)
    await reading.piece()
    reading.release()
    await bench.recorded()
    assert await reading.piece() is None
    assert not bench.deliveries.is_read(bench.session, stream)


async def test_a_second_reader_takes_the_stream_over() -> None:
    bench = Bench()
    stream = await bench.record("wait", name="a", aloud=True)
    first = await bench.read(stream)
    assert await first.piece() == COMMENT
    assert b"waiting" in (await first.piece() or b"")
    second = await bench.read(stream, 1)
    assert await second.piece() == COMMENT
    gates["a"].set()
    assert await first.piece() is None
    first.release()
    await asyncio.sleep(0)
    assert bench.deliveries.is_read(bench.session, stream)
    assert data(await second.rest()) == ["a"]
    await asyncio.sleep(0)
    assert not bench.deliveries.is_read(bench.session, stream)


async def test_a_tool_that_parts_ends_the_connection_and_not_the_stream() -> None:
    bench = Bench(PRIMING)
    stream = await bench.record("part")
    before, parting = (await (await bench.read(stream)).rest())[1:]
    assert data([before]) == ["before"]
    assert (parting.data, parting.retry_ms) == (b"", 7)
    place = bench.deliveries.position(parting.id)
    assert place == (stream, 2)
    gates["part"].set()
    assert data(await (await bench.read(*place)).rest()) == ["after"]


async def test_a_stream_that_is_old_says_when_to_come_back() -> None:
    bench = Bench(stream_age_s=0)
    reading = await bench.read(STANDING)
    assert await reading.piece() == COMMENT
    assert await reading.piece() == b"retry: %d\n\n" % RETRY_MS
    assert await reading.piece() is None


async def test_an_idle_stream_keeps_its_session_alive() -> None:
    bench = Bench(keep_alive_s=0.001)
    await bench.sessions.add(bench.session)
    bench.session.used_at -= 100
    reading = await bench.read(STANDING)
    assert [await reading.piece() for _ in range(3)] == [COMMENT] * 3
    assert bench.session.used_at > bench.session.created_at - 1


async def test_what_was_delivered_is_remembered_for_the_next_connection() -> None:
    bench = Bench()
    for message in (b'{"n":1}', b'{"n":2}'):
        await bench.deliveries.tell(bench.session, message)
    reading = await bench.read(STANDING, bench.session.delivered)
    await reading.piece()
    assert b'{"n":2}' in (await reading.piece() or b"")
    assert bench.session.delivered == 0  # until the server has taken it
    await bench.deliveries.tell(bench.session, b'{"n":3}')
    assert b'{"n":3}' in (await reading.piece() or b"")
    assert bench.session.delivered == 2


async def test_a_session_that_ends_ends_its_streams() -> None:
    bench = Bench()
    await bench.sessions.add(bench.session)
    stream = await bench.record("wait", name="a")
    readings = [await bench.read(stream), await bench.read(STANDING)]
    for reading in readings:
        assert await reading.piece() == COMMENT
    await bench.sessions.remove(bench.session.id)
    for reading in readings:
        assert await reading.piece() is None
    gates["a"].set()
