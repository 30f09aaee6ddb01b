from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from mcp_transport import Context, Shelf
from mcp_transport.engine.caller import ANONYMOUS
from mcp_transport.engine.eventlog import STANDING, Event, Gone, Position, Reader
from mcp_transport.engine.exchange import Exchange
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.server import Server
from mcp_transport.engine.session import Session
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.protocol.framing import (
    SSEDecoder,
    SSEEvent,
    sse_comment,
    sse_event,
)
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import LATEST, REVISIONS
from mcp_transport.stores.memory import MemorySessions, MemoryStore
from mcp_transport.stores.memory_events import MemoryEvents
from mcp_transport.transports.delivery import (
    Deliveries,
    first_words,
    live,
)
from mcp_transport.transports.replies import RETRY_MS
from tests.engine.exchanges import PATIENCE_S, opened, serving, session_of

REVISION = REVISIONS["2025-06-18"]
PRIMING = REVISIONS["2025-11-25"]
COMMENT = sse_comment()

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


class Numbered:
    """A Framing that shows all that it is told."""

    def opening(self, position: Position) -> bytes:
        return sse_event(b"", event="opening", id=str(position))

    def event(self, position: Position, message: bytes) -> bytes:
        return sse_event(message, id=str(position))

    def parting(self, position: Position, retry_ms: int) -> bytes:
        return sse_event(b"", event="parting", id=str(position), retry_ms=retry_ms)


class Bench:
    """A server, one session, and the deliveries between them."""

    def __init__(self, revision: Revision, store: MemoryStore, limits: Limits) -> None:
        self.server = serving(shelf, limits=limits)
        self.session = session_of(revision, ANONYMOUS, log_level="info")
        self.store = store
        self.deliveries = Deliveries(store, limits)

    @classmethod
    async def ready(
        cls,
        revision: Revision = REVISION,
        *,
        sessions: Callable[[Limits, MemoryEvents], MemorySessions] = MemorySessions,
        events: type[MemoryEvents] = MemoryEvents,
        **limits: Any,
    ) -> Bench:
        bounds = Limits(**limits)
        store = MemoryStore(bounds)
        store.events = events(bounds)
        store.sessions = sessions(bounds, store.events)
        bench = cls(revision, store, bounds)
        await store.sessions.add(bench.session)
        return bench

    def call(self, tool: str, **given: Any) -> Exchange:
        return call(self.server, tool, self.session, **given)

    async def record(self, tool: str, **given: Any) -> Position:
        exchange = self.call(tool, **given)
        return await self.deliveries.record(self.session, exchange.take(), [exchange])

    async def recorded(self) -> None:
        """Wait until nothing is recorded any more."""
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*self.deliveries._tasks)

    async def read(self, place: Position, age_s: float = PATIENCE_S) -> Reading:
        return await self._read(place.stream, place, age_s)

    async def read_standing(self, age_s: float = PATIENCE_S) -> Reading:
        return await self._read(STANDING, None, age_s)

    async def _read(self, stream: str, after: Position | None, age_s: float) -> Reading:
        pieces, release = await self.deliveries.read(
            self.session, stream, after, Numbered(), age_s
        )
        return Reading(pieces, release)

    async def is_read(self, stream: str) -> bool:
        await self.recorded()  # and whoever left has left
        return await self.deliveries.is_read(self.session, stream)


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
    session = session_of(REVISION, log_level="info")
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


def behind(place: Position, number: int) -> Position:
    return replace(place, number=number)


async def test_a_recorded_call_is_read_from_where_one_wants() -> None:
    bench = await Bench.ready()
    start = await bench.record("count", to=3)
    opening, *events = await (await bench.read(start)).rest()
    assert (opening.event, opening.id) == ("opening", str(start))
    assert data(events) == [1, 2, 3, "counted"]
    places = [Position.parse(event.id) for event in events]
    assert places == [behind(start, number) for number in range(1, 5)]
    for number in range(5):
        opening, *rest = await (await bench.read(behind(start, number))).rest()
        assert Position.parse(opening.id) == behind(start, number)
        assert data(rest) == [1, 2, 3, "counted"][number:]


async def test_what_was_said_before_comes_before_the_rest() -> None:
    bench = await Bench.ready()
    exchange = bench.call("wait", name="a", aloud=True)
    said = [b'{"said":1}', *exchange.take()]
    start = await bench.deliveries.record(bench.session, said, [exchange])
    gates["a"].set()
    _, first, *rest = await (await bench.read(start)).rest()
    assert first.data == b'{"said":1}'
    assert data(rest) == ["waiting", "a"]


async def test_a_stream_of_several_calls_ends_with_the_last() -> None:
    bench = await Bench.ready()
    exchanges = [bench.call("wait", name=name) for name in ("a", "b")]
    start = await bench.deliveries.record(bench.session, [], exchanges)
    reading = await bench.read(start)
    gates["b"].set()
    await reading.piece()
    assert b'"b"' in (await reading.piece() or b"")
    gates["a"].set()
    assert data(await reading.rest()) == ["a"]


async def test_a_call_is_recorded_though_nobody_ever_reads() -> None:
    bench = await Bench.ready()
    start = await bench.record("wait", name="a", aloud=True)
    gates["a"].set()
    await bench.recorded()
    assert data((await (await bench.read(start)).rest())[1:]) == ["waiting", "a"]


async def test_what_is_not_there_cannot_be_read() -> None:
    bench = await Bench.ready()
    start = await bench.record("count", to=3)
    await (await bench.read(start)).rest()
    for place in (
        Position("f" * 16, start.epoch, 0),
        Position(STANDING, start.epoch, 1),
        Position(start.stream, "0", 1),
        behind(start, 5),
    ):
        with pytest.raises(Gone):
            await bench.read(place)
    bench.session = session_of(REVISION)
    with pytest.raises(Gone):
        await bench.read(start)


@pytest.mark.parametrize("limits", [{"replay_events": 3}, {"replay_bytes": 300}])
async def test_a_burst_waits_for_who_reads_it(limits: dict[str, Any]) -> None:
    bench = await Bench.ready(**limits)
    start = await bench.record("count", to=50)
    reading = await bench.read(start)
    await reading.piece()
    for _ in range(100):  # the reader is slow, and the burst is there
        await asyncio.sleep(0)
    assert data(await reading.rest()) == [*range(1, 51), "counted"]


async def test_a_burst_that_nobody_reads_keeps_its_end() -> None:
    bench = await Bench.ready(replay_events=3)
    start = await bench.record("count", to=50)
    await bench.recorded()
    with pytest.raises(Gone):
        await bench.read(start)
    rest = (await (await bench.read(behind(start, 48))).rest())[1:]
    assert data(rest) == [49, 50, "counted"]


async def test_a_reader_that_leaves_holds_nothing_up() -> None:
    bench = await Bench.ready(replay_events=3)
    start = await bench.record("count", to=50)
    reading = await bench.read(start)
    await reading.piece()
    reading.release()
    await asyncio.sleep(0)
    await bench.recorded()
    assert await reading.piece() is None
    assert not await bench.is_read(start.stream)


async def test_a_second_reader_takes_the_stream_over() -> None:
    bench = await Bench.ready()
    start = await bench.record("wait", name="a", aloud=True)
    first = await bench.read(start)
    await first.piece()
    assert b"waiting" in (await first.piece() or b"")
    second = await bench.read(behind(start, 1))
    await second.piece()
    gates["a"].set()
    assert await first.piece() is None
    first.release()
    await asyncio.sleep(0)
    assert await bench.is_read(start.stream)
    assert data(await second.rest()) == ["a"]
    await asyncio.sleep(0)
    assert not await bench.is_read(start.stream)


async def test_a_connection_may_be_released_on_another_thread() -> None:
    bench = await Bench.ready()
    reading = await bench.read_standing()
    assert await bench.is_read(STANDING)
    await asyncio.to_thread(reading.release)
    await asyncio.sleep(0)
    assert not await bench.is_read(STANDING)


async def test_a_tool_that_parts_ends_the_connection_and_not_the_stream() -> None:
    bench = await Bench.ready(PRIMING)
    start = await bench.record("part")
    before, parting = (await (await bench.read(start)).rest())[1:]
    assert data([before]) == ["before"]
    assert (parting.event, parting.retry_ms) == ("parting", 7)
    place = Position.parse(parting.id)
    assert place == behind(start, 2)
    gates["part"].set()
    assert data((await (await bench.read(place)).rest())[1:]) == ["after"]


async def test_a_stream_that_is_old_says_when_to_come_back() -> None:
    bench = await Bench.ready()
    opening, parting = await (await bench.read_standing(age_s=0)).rest()
    assert opening.event == "opening"
    assert (parting.event, parting.retry_ms) == ("parting", RETRY_MS)
    assert parting.id == opening.id


async def test_what_there_is_comes_before_a_stream_is_old() -> None:
    bench = await Bench.ready()
    start = await bench.record("count", to=3)
    await bench.recorded()
    _, *events = await (await bench.read(start, age_s=0)).rest()
    assert data(events) == [1, 2, 3, "counted"]


async def test_an_idle_stream_keeps_its_session_alive() -> None:
    now_s = 0.0
    bench = await Bench.ready(
        sessions=lambda limits, events: MemorySessions(limits, events, lambda: now_s),
        keep_alive_s=0.001,
        session_idle_s=10,
    )
    reading = await bench.read_standing()
    await reading.piece()
    for _ in range(3):
        assert await reading.piece() == COMMENT
        now_s += 9
    assert await bench.store.sessions.get(bench.session.id, ANONYMOUS.subject)


async def test_what_was_delivered_is_remembered_for_the_next_connection() -> None:
    bench = await Bench.ready()
    for message in (b'{"n":1}', b'{"n":2}'):
        await bench.deliveries.say(bench.session, STANDING, message)
    reading = await bench.read_standing()
    for _ in range(2):  # the second did not ask for more: it may not have got it
        await reading.piece()
        assert b'{"n":1}' in (await reading.piece() or b"")
        reading = await bench.read_standing()
    await reading.piece()
    await reading.piece()
    await bench.deliveries.say(bench.session, STANDING, b'{"n":3}')
    assert b'{"n":3}' in (await reading.piece() or b"")
    reading = await bench.read_standing()
    await reading.piece()
    last = await reading.piece() or b""
    assert b'{"n":3}' in last
    assert b'{"n":2}' not in last


async def test_several_calls_speak_on_one_stream() -> None:
    bench = await Bench.ready()
    reading = await bench.read_standing()
    await reading.piece()
    for name in ("a", "b"):
        exchange = bench.call("wait", name=name)
        await bench.deliveries.record_into(bench.session, STANDING, exchange)
    await bench.deliveries.say(bench.session, STANDING, b'{"n":1}')
    assert b'{"n":1}' in (await reading.piece() or b"")
    for name in ("b", "a"):
        gates[name].set()
        assert b'"text":"%b"' % name.encode() in (await reading.piece() or b"")
    await bench.recorded()
    # And it goes on.
    await bench.deliveries.say(bench.session, STANDING, b'{"n":2}')
    assert b'{"n":2}' in (await reading.piece() or b"")


async def test_what_a_request_changed_is_kept_before_its_response_is_said() -> None:
    there: list[bytes] = []

    class Watching(MemorySessions):
        async def save(self, session: Session) -> None:
            reader = await bench.store.events.read(session.id, start.stream, start)
            there.extend(event.data for event in (await reader.read())[0])

    bench = await Bench.ready(sessions=Watching)
    start = await bench.record("wait", name="a", aloud=True)
    await asyncio.sleep(0)
    gates["a"].set()
    await bench.recorded()
    (before,) = there
    assert b"waiting" in before


async def test_a_session_that_ends_ends_its_streams() -> None:
    bench = await Bench.ready()
    start = await bench.record("wait", name="a")
    readings = [await bench.read(start), await bench.read_standing()]
    for reading in readings:
        await reading.piece()
    await bench.store.sessions.remove(bench.session.id)
    for reading in readings:
        assert await reading.piece() is None
    gates["a"].set()
    await bench.recorded()


# A store that is away for a while.


class UnsteadySessions(MemorySessions):
    """Fails at first, whenever something is to be saved."""

    failures = 3

    async def save(self, session: Session) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable


class UnsteadyReader:
    """A Reader that fails at first, and then at every other call."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._fails = False
        self.leave = reader.leave
        self.wait = reader.wait

    @property
    def position(self) -> Position:
        return self._reader.position

    async def read(self) -> tuple[list[Event], bool]:
        self._fails = not self._fails
        if self._fails:
            raise StoreUnavailable
        return await self._reader.read()


class UnsteadyEvents(MemoryEvents):
    async def read(self, *where: Any) -> Any:
        return UnsteadyReader(await super().read(*where))


async def test_a_connection_outlives_the_absence_of_the_store() -> None:
    bench = await Bench.ready(events=UnsteadyEvents)
    start = await bench.record("wait", name="a", aloud=True)
    reading = await bench.read(start)
    await reading.piece()
    assert await reading.piece() == COMMENT
    gates["a"].set()
    assert data(await reading.rest()) == ["waiting", "a"]


async def test_a_response_waits_until_the_store_has_what_was_changed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = await Bench.ready(sessions=UnsteadySessions)
    start = await bench.record("count", to=1)
    assert data((await (await bench.read(start)).rest())[1:]) == [1, "counted"]
    assert caplog.text.count("a session waits to be kept: no store") == 3
