"""What every event log does, whatever it keeps its events in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from mcp_transport.engine.eventlog import Event, EventLog, Gone
from mcp_transport.engine.limits import Limits
from mcp_transport.stores.memory import MemoryEvents
from tests.engine.exchanges import PATIENCE_S

LOGS: list[Callable[[], EventLog]] = [lambda: MemoryEvents(Limits())]


@pytest.fixture(params=LOGS, ids=["memory"])
def log(request: pytest.FixtureRequest) -> EventLog:
    made: EventLog = request.param()
    return made


async def test_events_are_numbered_from_one_without_a_gap(log: EventLog) -> None:
    await log.open("s", "a")
    assert await log.read("s", "a", 0) == ([], False)
    for data in (b"x", b"y", b"z"):
        await log.append("s", "a", data)
    events = [Event(1, b"x"), Event(2, b"y"), Event(3, b"z")]
    assert await log.read("s", "a", 0) == (events, False)
    assert await log.read("s", "a", 2) == (events[2:], False)
    assert await log.read("s", "a", 3) == ([], False)


async def test_streams_and_sessions_are_apart(log: EventLog) -> None:
    for session, stream in (("s", "a"), ("s", "b"), ("t", "a")):
        await log.open(session, stream)
        await log.append(session, stream, f"{session}{stream}".encode())
    assert (await log.read("s", "a", 0))[0] == [Event(1, b"sa")]
    assert (await log.read("s", "b", 0))[0] == [Event(1, b"sb")]
    assert (await log.read("t", "a", 0))[0] == [Event(1, b"ta")]


async def test_opening_again_keeps_what_is_there(log: EventLog) -> None:
    await log.open("s", "a")
    await log.append("s", "a", b"x")
    await log.open("s", "a")
    assert await log.read("s", "a", 0) == ([Event(1, b"x")], False)


async def test_a_position_that_never_was_is_gone(log: EventLog) -> None:
    await log.open("s", "a")
    await log.append("s", "a", b"x")
    for session, stream, after in (("s", "a", 2), ("s", "b", 0), ("t", "a", 0)):
        with pytest.raises(Gone):
            await log.read(session, stream, after)


async def test_nothing_is_said_to_a_stream_that_was_never_opened(
    log: EventLog,
) -> None:
    await log.append("s", "a", b"x")
    with pytest.raises(Gone):
        await log.read("s", "a", 0)
    await log.open("s", "a")
    assert await log.read("s", "a", 0) == ([], False)


async def test_a_closed_stream_can_be_read_and_not_written(log: EventLog) -> None:
    await log.open("s", "a")
    await log.append("s", "a", b"x")
    await log.close("s", "a")
    await log.append("s", "a", b"y")
    await log.close("s", "a")
    await log.close("s", "unknown")
    assert await log.read("s", "a", 0) == ([Event(1, b"x")], True)


async def test_a_dropped_session_is_gone_and_the_others_are_not(log: EventLog) -> None:
    for session in ("s", "t"):
        await log.open(session, "a")
        await log.append(session, "a", b"x")
    await log.drop("s")
    await log.drop("unknown")
    with pytest.raises(Gone):
        await log.read("s", "a", 0)
    assert await log.read("t", "a", 0) == ([Event(1, b"x")], False)


@pytest.mark.parametrize("happens", ["append", "close", "drop"])
async def test_who_waits_is_woken(log: EventLog, happens: str) -> None:
    await log.open("s", "a")
    waiting = [
        asyncio.create_task(log.wait("s", "a", 0, PATIENCE_S * 100)) for _ in range(2)
    ]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    if happens == "append":
        await log.append("s", "a", b"x")
    elif happens == "close":
        await log.close("s", "a")
    else:
        await log.drop("s")
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*waiting)


async def test_nobody_waits_for_what_is_there_or_never_comes(log: EventLog) -> None:
    await log.open("s", "a")
    await log.append("s", "a", b"x")
    async with asyncio.timeout(PATIENCE_S):
        await log.wait("s", "a", 0, PATIENCE_S * 100)
        await log.wait("s", "unknown", 0, PATIENCE_S * 100)
        await log.close("s", "a")
        await log.wait("s", "a", 1, PATIENCE_S * 100)


async def test_waiting_ends_with_its_time(log: EventLog) -> None:
    await log.open("s", "a")
    await log.wait("s", "a", 0, 0.001)
    assert await log.read("s", "a", 0) == ([], False)


async def test_each_log_has_a_memory_of_its_own(log: EventLog) -> None:
    assert log.epoch
    assert {make().epoch for make in LOGS}.isdisjoint({log.epoch})
