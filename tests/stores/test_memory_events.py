"""How long the event log of one process keeps a stream."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mcp_transport.engine.eventlog import Event, Gone, Writer
from mcp_transport.engine.limits import Limits
from mcp_transport.stores.memory_events import MemoryEvents
from tests.stores.test_memory import Clock


def log_of(**limits: int) -> tuple[MemoryEvents, Clock]:
    """Make a log in which a session has begun."""
    clock = Clock()
    log = MemoryEvents(Limits(**limits), clock)
    log.begin("s")
    return log, clock


async def filled(log: MemoryEvents, *data: bytes, stream: str = "a") -> Writer:
    writer = await log.write("s", stream)
    await writer.append(data)
    return writer


async def read(log: MemoryEvents, stream: str) -> tuple[list[Event], bool] | None:
    """Return what is on a stream from its start; None when it is gone."""
    try:
        return await (await log.read("s", stream)).read()
    except Gone:
        return None


async def test_a_closed_stream_is_kept_for_a_while() -> None:
    log, clock = log_of(replay_age_s=100)
    await (await filled(log, b"1")).close()
    clock.now += 60
    await (await filled(log, stream="b")).close()
    clock.now += 40
    await log.write("s", "c")
    assert await read(log, "a") == ([Event(1, b"1")], True)
    clock.now += 1
    await log.write("s", "d")
    assert await read(log, "a") is None
    assert await read(log, "b") == ([], True)


async def test_closing_again_keeps_a_stream_no_longer() -> None:
    log, clock = log_of(replay_age_s=100)
    writer = await filled(log, b"1")
    await writer.close()
    clock.now += 60
    await writer.close()
    clock.now += 41
    await log.write("s", "b")
    assert await read(log, "a") is None


async def test_an_open_stream_is_kept_as_long_as_its_session() -> None:
    log, clock = log_of(replay_age_s=100)
    await filled(log, b"1")
    clock.now += 10_000
    await log.write("s", "b")
    assert await read(log, "a") == ([Event(1, b"1")], False)


async def test_a_session_may_begin_again_under_its_name() -> None:
    log, clock = log_of(replay_age_s=100)
    old = await filled(log, b"1")
    await old.close()
    log.drop("s")
    log.drop("unknown")
    log.begin("s")
    new = await filled(log, b"new")
    assert new.start != old.start
    clock.now += 101
    await log.write("s", "b")
    assert await read(log, "a") == ([Event(1, b"new")], False)


async def test_what_is_said_to_a_stream_waits_for_no_reader() -> None:
    log, _ = log_of(replay_events=3)
    writer = await filled(log)
    reader = await log.read("s", "a")
    for number in range(1, 6):
        log.say("s", "a", b"%d" % number)
    with pytest.raises(Gone):
        await reader.read()
    newest = await log.read("s", "a", replace(writer.start, number=2))
    assert [event.number for event in (await newest.read())[0]] == [3, 4, 5]
