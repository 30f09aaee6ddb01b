"""What every event log does, whatever it keeps its events in.

Spec: 2025-11-25 basic/transports #resumability-and-redelivery.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.eventlog import (
    STANDING,
    Event,
    Gone,
    Position,
    Reader,
    Writer,
)
from mcp_transport.engine.session import Session
from mcp_transport.engine.store import Store
from tests.engine.exchanges import PATIENCE_S
from tests.stores.conftest import StoreOf

# Time for whoever could go on to do it: far more than a store needs.
A_WHILE_S = 0.1


async def began(store: Store) -> str:
    """Begin a session; return its id."""
    session = Session.new(Caller("mine"))
    await store.sessions.add(session)
    return session.id


async def filled(store: Store, session_id: str, *data: bytes) -> Writer:
    writer = await store.events.write(session_id, "a")
    for each in data:
        await writer.append([each])
    return writer


async def read(reader: Reader, count: int) -> list[Event]:
    """Read so many events, or all that there are, as a connection does."""
    found: list[Event] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < count:
            events, over = await reader.read()
            found += events
            if over:
                break
            if not events:
                await reader.wait(PATIENCE_S)
    return found


def behind(position: Position, number: int) -> Position:
    return Position(position.stream, position.epoch, number)


async def is_gone(store: Store, *where: Any) -> bool:
    try:
        await store.events.read(*where)
    except Gone:
        return True
    return False


async def finished(task: asyncio.Task[None]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await task


# What is written can be read.


async def test_events_are_numbered_from_one_without_a_gap(store: Store) -> None:
    id = await began(store)
    writer = await store.events.write(id, "a")
    reader = await store.events.read(id, "a")
    assert await reader.read() == ([], False)
    await writer.append([b"x", b"y"])
    assert await read(reader, 2) == [Event(1, b"x"), Event(2, b"y")]
    await writer.append([b""])
    await writer.append([])
    await writer.append([b"\x00\xff\n"])
    assert await read(reader, 2) == [Event(3, b""), Event(4, b"\x00\xff\n")]
    assert await reader.read() == ([], False)


async def test_a_writer_says_where_its_stream_starts(store: Store) -> None:
    id = await began(store)
    writer = await store.events.write(id, "a")
    assert (writer.start.stream, writer.start.number) == ("a", 0)
    assert Position.parse(str(writer.start)) == writer.start
    await writer.append([b"x"])
    reader = await store.events.read(id, "a", writer.start)
    assert reader.position == writer.start
    assert await read(reader, 1) == [Event(1, b"x")]
    assert reader.position == behind(writer.start, 1)


async def test_streams_and_sessions_are_apart(store: Store) -> None:
    one, other = await began(store), await began(store)
    places = [(one, "a"), (one, "b"), (one, STANDING), (other, "a")]
    writers = [await store.events.write(*place) for place in places]
    for number, writer in enumerate(writers):
        await writer.append([b"%d" % number])
    for number, place in enumerate(places):
        reader = await store.events.read(*place)
        assert await reader.read() == ([Event(1, b"%d" % number)], False)


async def test_two_memories_of_a_stream_are_told_apart(store: Store) -> None:
    epochs = set()
    for _ in range(20):
        epochs.add((await store.events.write(await began(store), "a")).start.epoch)
    assert len(epochs) == 20


async def test_opening_again_keeps_what_is_there(store: Store) -> None:
    id = await began(store)
    first = await filled(store, id, b"x")
    second = await store.events.write(id, "a", [1])
    assert second.start == first.start
    await second.append([b"y"], [1])
    await first.append([b"z"])
    reader = await store.events.read(id, "a")
    assert [event.data for event in await read(reader, 3)] == [b"x", b"y", b"z"]


async def test_several_write_at_once_each_in_its_order(store: Store) -> None:
    id = await began(store)
    reader = await store.events.read(id, STANDING)

    async def write(name: bytes) -> None:
        writer = await store.events.write(id, STANDING)
        for number in range(20):
            await writer.append([name + b"%d" % number, name + b"."])

    async with asyncio.TaskGroup() as group:
        for name in (b"p", b"q", b"r"):
            group.create_task(write(name))
    events = await read(reader, 120)
    assert [event.number for event in events] == list(range(1, 121))
    for name in (b"p", b"q", b"r"):
        own = [event.data for event in events if event.data.startswith(name)]
        assert own == [
            part for n in range(20) for part in (name + b"%d" % n, name + b".")
        ]


async def test_the_standing_stream_is_there_when_it_is_read(store: Store) -> None:
    id = await began(store)
    reader = await store.events.read(id, STANDING)
    assert await reader.read() == ([], False)
    writer = await store.events.write(id, STANDING)
    assert reader.position == writer.start
    await writer.append([b"x"])
    assert await read(reader, 1) == [Event(1, b"x")]
    assert await is_gone(store, id, "a")


# Where one can go on.


async def test_reading_goes_on_behind_a_position(store: Store) -> None:
    id = await began(store)
    writer = await filled(store, id, b"1", b"2", b"3")
    events = [Event(1, b"1"), Event(2, b"2"), Event(3, b"3")]
    for number in (0, 1, 2, 3):
        position = behind(writer.start, number)
        reader = await store.events.read(id, "a", position)
        assert reader.position == position
        assert await reader.read() == (events[number:], False)


async def test_a_position_that_never_was_is_gone(store: Store) -> None:
    id, other = await began(store), await began(store)
    start = (await filled(store, id, b"x")).start
    await filled(store, other, b"x")
    assert await is_gone(store, id, "a", behind(start, 2))
    assert await is_gone(store, id, "a", Position("a", "0", 1))
    assert await is_gone(store, other, "a", behind(start, 1))
    assert await is_gone(store, id, "b")
    assert await is_gone(store, id, STANDING, behind(start, 1))
    assert await is_gone(store, "unknown", "a")
    assert not await is_gone(store, id, "a", behind(start, 1))


async def test_what_was_read_is_delivered_when_more_is_asked_for(store: Store) -> None:
    id = await began(store)
    writer = await filled(store, id, b"1", b"2")
    reader = await store.events.read(id, "a")
    assert len(await read(reader, 2)) == 2
    # Perhaps it never got out: the connection ended before it asked again.
    await reader.leave()
    reader = await store.events.read(id, "a")
    assert len(await read(reader, 2)) == 2
    assert await reader.read() == ([], False)
    await writer.append([b"3"])
    await reader.leave()
    reader = await store.events.read(id, "a")
    assert await read(reader, 1) == [Event(3, b"3")]


async def test_who_comes_back_behind_a_position_has_what_was_before(
    store: Store,
) -> None:
    id = await began(store)
    writer = await filled(store, id, b"1", b"2", b"3")
    reader = await store.events.read(id, "a", behind(writer.start, 2))
    await reader.leave()
    reader = await store.events.read(id, "a")
    assert await read(reader, 1) == [Event(3, b"3")]


# Taking over, and leaving.


async def test_a_stream_has_one_reader_the_last(store: Store) -> None:
    id = await began(store)
    writer = await filled(store, id, b"1")
    first = await store.events.read(id, "a")
    assert len(await read(first, 1)) == 1
    second = await store.events.read(id, "a", behind(writer.start, 1))
    await writer.append([b"2"])
    with pytest.raises(Gone):
        await first.read()
    assert await read(second, 1) == [Event(2, b"2")]


async def test_who_reads_a_stream_can_be_seen(store: Store) -> None:
    id, other = await began(store), await began(store)
    await store.events.write(id, "a")
    assert not await store.events.is_read(id, "a")
    first = await store.events.read(id, "a")
    assert await store.events.is_read(id, "a")
    for session_id, stream in ((id, STANDING), (id, "b"), (other, "a")):
        assert not await store.events.is_read(session_id, stream)
    second = await store.events.read(id, "a")
    await first.leave()
    assert await store.events.is_read(id, "a")
    await second.leave()
    await second.leave()
    assert not await store.events.is_read(id, "a")


@pytest.mark.parametrize("happens", ["append", "close", "remove", "take over"])
async def test_who_waits_is_woken(store: Store, happens: str) -> None:
    id = await began(store)
    writer = await store.events.write(id, "a")
    reader = await store.events.read(id, "a")
    assert await reader.read() == ([], False)
    waiting = asyncio.create_task(reader.wait(PATIENCE_S * 100))
    await asyncio.sleep(0)
    assert not waiting.done()
    if happens == "append":
        await writer.append([b"x"])
    elif happens == "close":
        await writer.close()
    elif happens == "remove":
        await store.sessions.remove(id)
    else:
        await store.events.read(id, "a")
    async with asyncio.timeout(PATIENCE_S):
        assert await waiting is True


async def test_nobody_waits_for_what_is_there(store: Store) -> None:
    id = await began(store)
    writer = await filled(store, id, b"x")
    reader = await store.events.read(id, "a")
    async with asyncio.timeout(PATIENCE_S):
        assert await read(reader, 1) == [Event(1, b"x")]
        assert await reader.read() == ([], False)
        await writer.append([b"y"])
        assert await reader.wait(PATIENCE_S * 100) is True


async def test_waiting_ends_with_its_time(store: Store) -> None:
    id = await began(store)
    await store.events.write(id, "a")
    reader = await store.events.read(id, "a")
    assert await reader.read() == ([], False)
    assert await reader.wait(0.001) is False
    assert await reader.read() == ([], False)


# The end of a stream.


async def test_a_closed_stream_can_be_read_and_not_written(store: Store) -> None:
    id = await began(store)
    writer = await filled(store, id, b"x")
    other = await store.events.write(id, "a")
    await writer.close()
    await writer.append([b"y"])
    await other.append([b"z"])
    await writer.close()
    for _ in range(2):
        reader = await store.events.read(id, "a", writer.start)
        assert await read(reader, 9) == [Event(1, b"x")]
        assert await reader.read() == ([], True)


async def test_a_stream_may_end_without_an_event(store: Store) -> None:
    id = await began(store)
    writer = await store.events.write(id, "a")
    reader = await store.events.read(id, "a")
    await writer.close()
    assert await read(reader, 1) == []


async def test_the_streams_of_a_session_that_ended_are_gone(store: Store) -> None:
    id, other = await began(store), await began(store)
    writer, kept = await filled(store, id, b"x"), await filled(store, other, b"x")
    readers = [
        await store.events.read(id, "a"),
        await store.events.read(id, STANDING),
    ]
    await store.sessions.remove(id)
    for reader in readers:
        with pytest.raises(Gone):
            await reader.read()
        await reader.leave()
    await writer.append([b"y"])
    await writer.close()
    for where in ((id, "a"), (id, "a", writer.start), (id, STANDING)):
        assert await is_gone(store, *where)
    assert not await is_gone(store, other, "a", behind(kept.start, 1))


async def test_a_session_that_ended_gets_no_streams_again(store: Store) -> None:
    """A call of its may still run, and have something to say."""
    id = await began(store)
    await store.sessions.remove(id)
    writer = await store.events.write(id, "a", [1])
    await writer.append([b"x"], [1])
    await writer.close()
    assert await is_gone(store, id, "a")
    assert await is_gone(store, id, "a", writer.start)


# How much is kept, and for whom one waits.


@pytest.mark.parametrize("limits", [{"replay_events": 3}, {"replay_bytes": 30}])
async def test_only_the_newest_events_are_kept(
    store_of: StoreOf, limits: dict[str, int]
) -> None:
    store = await store_of(**limits)
    id = await began(store)
    data = [b"%d" % number * 10 for number in range(1, 6)]
    writer = await filled(store, id, *data)
    newest = [Event(number, data[number - 1]) for number in (3, 4, 5)]
    for number in (0, 1, 6):
        assert await is_gone(store, id, "a", behind(writer.start, number))
    assert await is_gone(store, id, "a")
    for number in (2, 4, 5):
        reader = await store.events.read(id, "a", behind(writer.start, number))
        assert await reader.read() == (newest[number - 2 :], False)


async def test_the_newest_event_is_kept_however_large(store_of: StoreOf) -> None:
    store = await store_of(replay_bytes=10)
    id = await began(store)
    large = b"x" * 100
    writer = await filled(store, id, b"1", large)
    reader = await store.events.read(id, "a", behind(writer.start, 1))
    assert await read(reader, 1) == [Event(2, large)]
    await reader.leave()
    await writer.append([b"2"])
    assert await is_gone(store, id, "a", behind(writer.start, 1))
    reader = await store.events.read(id, "a", behind(writer.start, 2))
    assert await read(reader, 1) == [Event(3, b"2")]


async def test_bounds_are_of_each_stream(store_of: StoreOf) -> None:
    store = await store_of(replay_events=1)
    id = await began(store)
    for stream in ("a", "b", STANDING):
        await (await store.events.write(id, stream)).append([b"x"])
    for stream in ("a", "b", STANDING):
        reader = await store.events.read(id, stream)
        assert await reader.read() == ([Event(1, b"x")], False)


async def ended(store: Store, session_id: str, stream: str, size_bytes: int) -> None:
    writer = await store.events.write(session_id, stream)
    await writer.append([b"x" * size_bytes])
    await writer.close()


async def test_streams_that_ended_are_kept_within_a_bound_of_the_session(
    store_of: StoreOf,
) -> None:
    store = await store_of(replay_session_bytes=3 * (1000 + 1024))
    id, other = await began(store), await began(store)
    await ended(store, other, "a", 1000)
    running = await store.events.write(id, "running")
    await running.append([b"x" * 5000])
    for stream in "abcdef":
        await ended(store, id, stream, 1000)
        # Closed twice is closed once.
        await (await store.events.write(id, stream)).close()
    assert [await is_gone(store, id, stream) for stream in "abcdef"] == (
        [True] * 3 + [False] * 3
    )
    assert not await is_gone(store, id, "running")
    assert not await is_gone(store, other, "a")


async def test_what_ended_is_kept_while_it_is_read(store_of: StoreOf) -> None:
    store = await store_of(replay_session_bytes=3 * (1000 + 1024))
    id = await began(store)
    writer = await filled(store, id, b"x" * 1000)
    reader = await store.events.read(id, "a", writer.start)
    await writer.close()
    for stream in "bcde":
        await ended(store, id, stream, 1000)
    assert await read(reader, 1) == [Event(1, b"x" * 1000)]
    assert [await is_gone(store, id, stream) for stream in "bcde"] == (
        [True] * 2 + [False] * 2
    )
    await reader.leave()
    await ended(store, id, "f", 1000)
    assert await is_gone(store, id, "a")


async def test_what_ended_last_is_kept_however_large(store_of: StoreOf) -> None:
    store = await store_of(replay_session_bytes=10)
    id = await began(store)
    for stream in "ab":
        await ended(store, id, stream, 1000)
    assert [await is_gone(store, id, stream) for stream in "ab"] == [True, False]


async def test_what_has_expired_takes_no_room(store_of: StoreOf) -> None:
    store = await store_of(replay_session_bytes=3 * (1000 + 1024), replay_age_s=1)
    id = await began(store)
    for stream in "abc":
        await ended(store, id, stream, 1000)
    await asyncio.sleep(1.01)
    for stream in "de":
        await ended(store, id, stream, 1000)
    assert [await is_gone(store, id, stream) for stream in "cde"] == (
        [True] + [False] * 2
    )


async def writing(writer: Writer, data: Sequence[bytes]) -> asyncio.Task[None]:
    """Write all of it at once, which has to wait for a reader."""
    task = asyncio.create_task(writer.append(data))
    await asyncio.sleep(A_WHILE_S)
    assert not task.done()
    return task


LONG = [b"%06d" % number for number in range(50)]
WINDOWS = pytest.mark.parametrize(
    "limits", [{"replay_events": 3}, {"replay_bytes": 20}, {"replay_bytes": 1}]
)


@WINDOWS
async def test_a_writer_waits_for_who_reads(
    store_of: StoreOf, limits: dict[str, int]
) -> None:
    store = await store_of(**limits)
    id = await began(store)
    writer = await store.events.write(id, "a")
    reader = await store.events.read(id, "a")
    task = await writing(writer, LONG)
    events = await read(reader, len(LONG))
    assert [event.data for event in events] == LONG
    assert [event.number for event in events] == list(range(1, 51))
    await finished(task)


@WINDOWS
async def test_a_writer_waits_for_nobody_where_nobody_reads(
    store_of: StoreOf, limits: dict[str, int]
) -> None:
    store = await store_of(**limits)
    id = await began(store)
    writer = await store.events.write(id, "a")
    async with asyncio.timeout(PATIENCE_S):
        await writer.append(LONG)
    last = await store.events.read(id, "a", behind(writer.start, 49))
    assert await read(last, 1) == [Event(50, LONG[-1])]


async def test_what_is_read_again_is_not_lost_either(store_of: StoreOf) -> None:
    """A reader that goes back is waited for from there."""
    store = await store_of(replay_events=3)
    id = await began(store)
    writer = await filled(store, id, *LONG[:3])
    reader = await store.events.read(id, "a")
    assert len(await read(reader, 3)) == 3
    assert await reader.read() == ([], False)
    again = await store.events.read(id, "a", writer.start)
    task = await writing(writer, LONG[3:])
    assert [event.data for event in await read(again, len(LONG))] == LONG
    await finished(task)


@pytest.mark.parametrize("happens", ["leave", "remove"])
async def test_a_writer_waits_no_longer_than_there_is_reason(
    store_of: StoreOf, happens: str
) -> None:
    store = await store_of(replay_events=3)
    id = await began(store)
    writer = await store.events.write(id, "a")
    reader = await store.events.read(id, "a")
    task = await writing(writer, LONG)
    if happens == "leave":
        await reader.leave()
    else:
        await store.sessions.remove(id)
    await finished(task)


async def test_the_next_reader_is_waited_for_as_the_first(store_of: StoreOf) -> None:
    store = await store_of(replay_events=3)
    id = await began(store)
    writer = await store.events.write(id, "a")
    first = await store.events.read(id, "a")
    task = await writing(writer, LONG)
    some = await read(first, 3)
    place = first.position
    second = await store.events.read(id, "a", place)
    events = await read(second, len(LONG) - len(some))
    assert [event.data for event in (*some, *events)] == LONG
    await finished(task)
