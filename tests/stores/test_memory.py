"""What the store of one process does as time passes, and on whose event loop."""

from __future__ import annotations

import asyncio

import pytest

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.changes import ListChanged
from mcp_transport.engine.eventlog import STANDING, Gone
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.session import Claimed, Session
from mcp_transport.protocol.lifecycle import Phase
from mcp_transport.stores.memory import MAX_CLAIMS, SWEEP_EVERY_S, MemoryStore
from tests.engine.exchanges import PATIENCE_S

MINE, THEIRS = Caller("mine"), Caller("theirs")
TOOLS = ListChanged("tools")


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def store_of(**limits: int) -> tuple[MemoryStore, Clock]:
    clock = Clock()
    return MemoryStore(Limits(**limits), clock), clock


def kept(store: MemoryStore) -> set[str]:
    """Return the ids of the sessions that there are, using none of them."""
    return set(store.sessions.wanting(TOOLS))


async def added(store: MemoryStore, caller: Caller = MINE) -> Session:
    """Begin a session that has a stream."""
    session = Session.new(caller)
    session.phase = Phase.READY
    await store.sessions.add(session)
    await store.events.write(session.id, "s")
    return session


async def found(store: MemoryStore, session: Session) -> bool:
    return await store.sessions.get(session.id, session.subject) is session


async def has_stream(store: MemoryStore, session: Session) -> bool:
    try:
        await store.events.read(session.id, "s")
    except Gone:
        return False
    return True


async def test_somebody_elses_look_does_not_keep_a_session() -> None:
    store, clock = store_of(session_idle_s=10)
    session = await added(store)
    clock.now += 9
    assert await store.sessions.get(session.id, "theirs") is None
    clock.now += 2
    assert not await found(store, session)


async def test_an_idle_session_ends_and_one_in_use_does_not() -> None:
    store, clock = store_of(session_idle_s=10, session_age_s=1000)
    idle, used = await added(store), await added(store)
    clock.now += 10
    assert await found(store, used)
    clock.now += 0.5
    assert not await found(store, idle)
    assert not await has_stream(store, idle)
    clock.now += 9.5
    assert await found(store, used)
    assert await has_stream(store, used)


async def test_an_old_session_ends_though_it_is_used() -> None:
    store, clock = store_of(session_idle_s=10, session_age_s=25)
    session = await added(store)
    for _ in range(5):
        clock.now += 5
        assert await found(store, session)
    clock.now += 0.5
    assert not await found(store, session)
    assert kept(store) == set()


async def test_nobody_has_to_look_for_an_ended_session_to_go() -> None:
    store, clock = store_of(session_idle_s=10)
    old = await added(store, THEIRS)
    reader = await store.events.read(old.id, "s")
    clock.now += SWEEP_EVERY_S + 1
    new = await added(store)
    with pytest.raises(Gone):
        await reader.read()
    assert not await has_stream(store, old)
    assert kept(store) == {new.id}


async def test_no_ended_session_is_told_of_a_change() -> None:
    store, clock = store_of(session_idle_s=10)
    old = await added(store)
    clock.now += 5
    young = await added(store)
    clock.now += 6
    assert kept(store) == {young.id}
    assert not await has_stream(store, old)


async def test_at_a_callers_cap_the_longest_idle_makes_room() -> None:
    store, clock = store_of(max_sessions=3, session_idle_s=1000)
    own = []
    for _ in range(3):
        clock.now += 1
        own.append(await added(store))
    stranger = await added(store, THEIRS)
    clock.now += 1
    assert await found(store, own[0])
    new = await added(store)
    assert kept(store) == {own[0].id, own[2].id, new.id, stranger.id}
    assert not await has_stream(store, own[1])
    assert await has_stream(store, own[2])


async def test_a_flood_of_sessions_keeps_to_its_cap() -> None:
    store, _ = store_of(max_sessions=50)
    for _ in range(500):
        await added(store)
    stranger = await added(store, THEIRS)
    assert len(kept(store)) == 51
    assert await found(store, stranger)


async def test_only_so_many_claims_are_remembered() -> None:
    """An id that came so long ago is no repetition by accident."""
    store, _ = store_of()
    session = await added(store)
    for start in range(0, MAX_CLAIMS, 100):
        ids = range(start, start + 100)
        assert await store.sessions.get(session.id, "mine", ids) is session
    for id in (0, MAX_CLAIMS - 1):
        with pytest.raises(Claimed):
            await store.sessions.get(session.id, "mine", [id])
    assert await store.sessions.get(session.id, "mine", ["one more"]) is session
    assert await store.sessions.get(session.id, "mine", [0]) is session
    with pytest.raises(Claimed):
        await store.sessions.get(session.id, "mine", [MAX_CLAIMS - 1])


async def test_who_waits_for_a_stream_of_a_session_that_expires_is_woken() -> None:
    store, clock = store_of(session_idle_s=10)
    session = await added(store)
    reader = await store.events.read(session.id, "s")
    waiting = asyncio.create_task(reader.wait(PATIENCE_S * 100))
    await asyncio.sleep(0)
    clock.now += 11
    assert kept(store) == set()
    async with asyncio.timeout(PATIENCE_S):
        assert await waiting is True
    with pytest.raises(Gone):
        await reader.read()


# Event loops.


def test_a_change_is_told_on_the_loop_that_serves_the_sessions() -> None:
    store, _ = store_of()

    async def serve() -> int:
        session = await added(store)
        reader = await store.events.read(session.id, STANDING)
        told = asyncio.to_thread(store.signals.announce, TOOLS)
        _, is_woken = await asyncio.gather(told, reader.wait(PATIENCE_S))
        assert is_woken
        return len((await reader.read())[0])

    assert [asyncio.run(serve()) for _ in range(2)] == [1, 1]


def test_a_change_is_told_to_nobody_where_nobody_is_served() -> None:
    store, _ = store_of()
    store.signals.announce(TOOLS)  # there never was a session
    asyncio.run(added(store))
    store.signals.announce(TOOLS)  # the loop is closed
