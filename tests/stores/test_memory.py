from __future__ import annotations

import asyncio

import pytest

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.eventlog import Event, Gone
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.session import Session
from mcp_transport.stores.memory import SWEEP_EVERY_S, MemoryEvents, MemorySessions
from tests.engine.exchanges import PATIENCE_S

MINE, THEIRS = Caller("mine"), Caller("theirs")


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def stores(**limits: int) -> tuple[MemorySessions, MemoryEvents, Clock]:
    clock = Clock()
    bounds = Limits(**limits)
    events = MemoryEvents(bounds, clock)
    return MemorySessions(bounds, events, clock), events, clock


async def kept(sessions: MemorySessions) -> set[str]:
    return {session.id for session in await sessions.all()}


async def added(sessions: MemorySessions, caller: Caller = MINE) -> Session:
    session = Session.new(caller)
    await sessions.add(session)
    return session


# Sessions.


async def test_a_session_is_found_by_its_id_and_its_owner() -> None:
    sessions, _, _ = stores()
    session = await added(sessions)
    assert await sessions.get(session.id, "mine") is session
    assert await sessions.get(session.id, "theirs") is None
    assert await sessions.get(session.id, "") is None
    assert await sessions.get(session.id + "x", "mine") is None
    assert await sessions.get("", "mine") is None


async def test_somebody_elses_look_does_not_keep_a_session() -> None:
    sessions, _, clock = stores(session_idle_s=10)
    session = await added(sessions)
    clock.now += 9
    assert await sessions.get(session.id, "theirs") is None
    clock.now += 2
    assert await sessions.get(session.id, "mine") is None


async def test_what_was_changed_in_a_session_is_there() -> None:
    sessions, _, _ = stores()
    session = await added(sessions)
    session.subscriptions.add("a:b")
    await sessions.save(session)
    found = await sessions.get(session.id, "mine")
    assert found is not None
    assert found.subscriptions == {"a:b"}


async def test_a_removed_session_is_gone_with_its_streams() -> None:
    sessions, events, _ = stores()
    one, other = await added(sessions), await added(sessions)
    for session in (one, other):
        await events.open(session.id, "s")
    await sessions.remove(one.id)
    await sessions.remove(one.id)
    await sessions.remove("unknown")
    assert await sessions.get(one.id, "mine") is None
    with pytest.raises(Gone):
        await events.read(one.id, "s", 0)
    assert await kept(sessions) == {other.id}
    assert await events.read(other.id, "s", 0) == ([], False)


async def test_an_idle_session_ends_and_one_in_use_does_not() -> None:
    sessions, events, clock = stores(session_idle_s=10, session_age_s=1000)
    idle, used = await added(sessions), await added(sessions)
    await events.open(idle.id, "s")
    clock.now += 10
    assert await sessions.get(used.id, "mine") is used
    clock.now += 0.5
    assert await sessions.get(idle.id, "mine") is None
    with pytest.raises(Gone):
        await events.read(idle.id, "s", 0)
    clock.now += 9.5
    assert await sessions.get(used.id, "mine") is used


async def test_an_old_session_ends_though_it_is_used() -> None:
    sessions, _, clock = stores(session_idle_s=10, session_age_s=25)
    session = await added(sessions)
    for _ in range(5):
        clock.now += 5
        assert await sessions.get(session.id, "mine") is session
    clock.now += 0.5
    assert await sessions.get(session.id, "mine") is None
    assert await kept(sessions) == set()


async def test_nobody_has_to_look_for_an_ended_session_to_go() -> None:
    sessions, events, clock = stores(session_idle_s=10)
    old = await added(sessions, THEIRS)
    await events.open(old.id, "s")
    clock.now += SWEEP_EVERY_S + 1
    new = await added(sessions)
    with pytest.raises(Gone):
        await events.read(old.id, "s", 0)
    assert await kept(sessions) == {new.id}


async def test_the_list_holds_no_ended_session() -> None:
    sessions, _, clock = stores(session_idle_s=10)
    await added(sessions)
    clock.now += 5
    young = await added(sessions)
    clock.now += 6
    assert await kept(sessions) == {young.id}


async def test_at_a_callers_cap_the_longest_idle_makes_room() -> None:
    sessions, events, clock = stores(max_sessions=3, session_idle_s=1000)
    own = []
    for _ in range(3):
        clock.now += 1
        own.append(await added(sessions))
        await events.open(own[-1].id, "s")
    stranger = await added(sessions, THEIRS)
    clock.now += 1
    assert await sessions.get(own[0].id, "mine") is own[0]
    new = await added(sessions)
    assert await kept(sessions) == {own[0].id, own[2].id, new.id, stranger.id}
    with pytest.raises(Gone):
        await events.read(own[1].id, "s", 0)


async def test_a_cap_of_one_is_one() -> None:
    sessions, _, _ = stores(max_sessions=1)
    await added(sessions)
    last = await added(sessions)
    assert await kept(sessions) == {last.id}


async def test_a_flood_of_sessions_keeps_to_its_cap() -> None:
    sessions, _, _ = stores(max_sessions=50)
    for _ in range(500):
        await added(sessions)
    stranger = await added(sessions, THEIRS)
    assert len(await kept(sessions)) == 51
    assert await sessions.get(stranger.id, "theirs") is stranger


async def test_a_caller_whose_sessions_ended_may_have_new_ones() -> None:
    sessions, _, _ = stores(max_sessions=2)
    for _ in range(3):
        session = await added(sessions)
        await sessions.remove(session.id)
    two = {(await added(sessions)).id for _ in range(2)}
    assert await kept(sessions) == two


# Events.


async def filled(events: MemoryEvents, *data: bytes) -> None:
    await events.open("s", "a")
    for each in data:
        await events.append("s", "a", each)


async def test_only_the_newest_events_are_kept() -> None:
    _, events, _ = stores(replay_events=3)
    await filled(events, b"1", b"2", b"3", b"4", b"5")
    newest = [Event(3, b"3"), Event(4, b"4"), Event(5, b"5")]
    assert await events.read("s", "a", 2) == (newest, False)
    assert await events.read("s", "a", 4) == (newest[2:], False)
    assert await events.read("s", "a", 5) == ([], False)
    for after in (0, 1, 6):
        with pytest.raises(Gone):
            await events.read("s", "a", after)


async def test_only_so_many_bytes_are_kept() -> None:
    _, events, _ = stores(replay_bytes=10)
    await filled(events, b"12345", b"67890")
    assert len((await events.read("s", "a", 0))[0]) == 2
    await events.append("s", "a", b"1")
    with pytest.raises(Gone):
        await events.read("s", "a", 0)
    assert await events.read("s", "a", 1) == (
        [Event(2, b"67890"), Event(3, b"1")],
        False,
    )
    await events.append("s", "a", b"1234")
    assert len((await events.read("s", "a", 1))[0]) == 3


async def test_the_newest_event_is_kept_however_large() -> None:
    _, events, _ = stores(replay_bytes=10)
    await filled(events, b"1", b"x" * 100)
    assert await events.read("s", "a", 1) == ([Event(2, b"x" * 100)], False)
    await events.append("s", "a", b"2")
    assert await events.read("s", "a", 2) == ([Event(3, b"2")], False)
    with pytest.raises(Gone):
        await events.read("s", "a", 1)


async def test_bounds_are_of_each_stream() -> None:
    _, events, _ = stores(replay_events=1)
    for stream in ("a", "b"):
        await events.open("s", stream)
        await events.append("s", stream, b"x")
    assert (await events.read("s", "a", 0))[0] == [Event(1, b"x")]


async def test_a_closed_stream_is_kept_for_a_while() -> None:
    _, events, clock = stores(replay_age_s=100)
    await filled(events, b"1")
    await events.close("s", "a")
    clock.now += 60
    await events.open("s", "b")
    await events.close("s", "b")
    clock.now += 40
    await events.open("s", "c")
    assert await events.read("s", "a", 0) == ([Event(1, b"1")], True)
    clock.now += 1
    await events.open("s", "d")
    with pytest.raises(Gone):
        await events.read("s", "a", 0)
    assert await events.read("s", "b", 0) == ([], True)


async def test_an_open_stream_is_kept_as_long_as_its_session() -> None:
    _, events, clock = stores(replay_age_s=100)
    await filled(events, b"1")
    clock.now += 10_000
    await events.open("s", "b")
    assert await events.read("s", "a", 0) == ([Event(1, b"1")], False)


async def test_a_dropped_session_may_come_again_under_its_id() -> None:
    _, events, clock = stores(replay_age_s=100)
    await filled(events, b"1")
    await events.close("s", "a")
    await events.drop("s")
    await filled(events, b"new")
    clock.now += 101
    await events.open("s", "b")
    assert await events.read("s", "a", 0) == ([Event(1, b"new")], False)


async def test_who_waits_for_a_stream_of_a_session_that_expires_is_woken() -> None:
    sessions, events, clock = stores(session_idle_s=10)
    session = await added(sessions)
    await events.open(session.id, "s")
    waiting = asyncio.create_task(
        events.wait(session.id, "s", 0, timeout_s=PATIENCE_S * 100)
    )
    await asyncio.sleep(0)
    clock.now += 11
    await sessions.all()
    async with asyncio.timeout(PATIENCE_S):
        await waiting
    with pytest.raises(Gone):
        await events.read(session.id, "s", 0)


def test_two_memories_are_told_apart() -> None:
    assert len({MemoryEvents(Limits()).epoch for _ in range(20)}) == 20
