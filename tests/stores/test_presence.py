"""What every store shows of who is connected, and how it is ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.eventlog import STANDING
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.presence import session_handle
from mcp_transport.engine.session import Session
from mcp_transport.engine.signals import Ended, Signal
from mcp_transport.engine.store import Store
from mcp_transport.protocol.lifecycle import Phase
from mcp_transport.protocol.peer import Peer
from mcp_transport.protocol.revisions import LATEST_STATEFUL
from mcp_transport.transports.open_streams import Ending, OpenStream, OpenStreams
from tests.stores.conftest import StoreOf

ADA = Caller("user:1", token_id="abc")
PEER = Peer(LATEST_STATEFUL, info={"name": "inspector \u00e9", "version": "2"})
# Longer than a store's clock needs to tell two moments apart.
A_MOMENT_S = 0.005
BOUND_S = 20
MOST = 10


class Held:
    async def caller(self) -> Caller:
        return ADA


async def begun(store: Store, caller: Caller = ADA) -> Session:
    session = Session.new(caller, "streamable-http")
    session.peer, session.phase = PEER, Phase.READY
    await store.sessions.add(session)
    await asyncio.sleep(A_MOMENT_S)
    return session


def opening(store: Store) -> OpenStreams:
    streams = OpenStreams(Limits(), store.presence.changed)
    store.presence.watch(streams)
    return streams


def socket(streams: OpenStreams) -> OpenStream:
    stream = streams.standing(ADA, Held())
    stream.door = "websocket"
    stream.meet(PEER)
    return stream


async def becomes(asked: Callable[[], Awaitable[object]], wanted: object) -> None:
    """Ask until it is so; raises TimeoutError."""
    async with asyncio.timeout(BOUND_S):
        while await asked() != wanted:  # noqa: ASYNC110 - other processes say
            await asyncio.sleep(A_MOMENT_S)


async def handles(store: Store) -> list[str]:
    return [session.handle for session in (await store.presence.sessions(MOST)).seen]


async def test_a_session_is_shown_with_what_is_known_of_it(store: Store) -> None:
    assert (await store.presence.sessions(MOST)).total == 0
    session = await begun(store)
    census = await store.presence.sessions(MOST)
    (seen,) = census.seen
    assert census.total == 1
    assert (seen.subject, seen.token_id, seen.door) == (
        "user:1",
        "abc",
        "streamable-http",
    )
    assert (seen.client, seen.revision) == ("inspector \u00e9 2", LATEST_STATEFUL.name)
    assert seen.handle == session_handle(session.id)
    assert session.id not in repr(seen)
    assert await store.sessions.get(session.id, ADA.subject) is not None
    (used,) = (await store.presence.sessions(MOST)).seen
    assert used.began_at == pytest.approx(seen.began_at, abs=A_MOMENT_S)
    assert used.used_at > seen.used_at


async def test_what_a_client_says_later_is_shown(store: Store) -> None:
    session = Session.new(ADA, "sse")
    await store.sessions.add(session)
    (seen,) = (await store.presence.sessions(MOST)).seen
    assert (seen.client, seen.revision, seen.door) == ("", "", "sse")
    found = await store.sessions.get(session.id, ADA.subject)
    assert found is not None
    assert (found.door, found.token_id) == ("sse", "abc")
    found.peer = PEER
    await store.sessions.save(found)
    (seen,) = (await store.presence.sessions(MOST)).seen
    assert (seen.client, seen.door) == (PEER.client, "sse")


async def test_those_that_were_used_last_are_shown(store: Store) -> None:
    one, two, three = [await begun(store) for _ in range(3)]
    assert await store.sessions.get(one.id, ADA.subject) is not None
    census = await store.presence.sessions(2)
    shown = [session.handle for session in census.seen]
    assert shown == [session_handle(one.id), session_handle(three.id)]
    assert census.total == 3


async def test_sessions_that_have_expired_are_not_shown(store_of: StoreOf) -> None:
    old = await store_of(session_age_s=A_MOMENT_S / 2)
    await begun(old)
    assert await handles(old) == []
    idle = await store_of(session_idle_s=A_MOMENT_S / 2)
    await begun(idle)
    assert await handles(idle) == []


async def test_a_session_is_ended_by_its_handle(store: Store) -> None:
    told: list[Signal] = []
    store.signals.attend()
    store.signals.listen(lambda said: told.append(said))  # type: ignore[arg-type]

    async def heard() -> list[Signal]:
        return told

    one, two = await begun(store), await begun(store)
    reader = await store.events.read(one.id, STANDING, None)
    assert await store.presence.end_session(session_handle(one.id))
    assert await store.sessions.get(one.id, ADA.subject) is None
    assert await store.sessions.get(two.id, ADA.subject) is not None
    assert await handles(store) == [session_handle(two.id)]
    assert not await store.presence.end_session(session_handle(one.id))
    assert not await store.presence.end_session(one.id)
    await becomes(heard, [Ended(one.id)])
    await reader.leave()


async def test_open_streams_are_shown_while_they_last(store: Store) -> None:
    streams = opening(store)

    async def shown() -> list[tuple[str, str, bool]]:
        seen = (await store.presence.streams(MOST)).seen
        return sorted((one.door, one.client, one.standing) for one in seen)

    first = socket(streams)
    await becomes(shown, [("websocket", PEER.client, True)])
    (seen,) = (await store.presence.streams(MOST)).seen
    assert (seen.subject, seen.token_id, seen.session) == ("user:1", "abc", "")
    assert seen.handle == first.handle
    assert first.began_at <= seen.used_at
    second = socket(streams)
    second.meet(replace(PEER, info={"name": "other"}))
    two = [("websocket", PEER.client, True), ("websocket", "other", True)]
    await becomes(shown, sorted(two))
    census = await store.presence.streams(1)
    assert (len(census.seen), census.total) == (1, 2)
    first.close()
    await becomes(shown, [("websocket", "other", True)])
    second.close()
    await becomes(shown, [])


async def test_a_stream_is_ended_by_its_handle(store: Store) -> None:
    streams = opening(store)
    one, other = socket(streams), socket(streams)

    async def total() -> int:
        return (await store.presence.streams(MOST)).total

    async def endings() -> list[Ending | None]:
        return [one.ending, other.ending]

    await becomes(total, 2)
    assert not await store.presence.end_stream("0" * 16)
    assert await store.presence.end_stream(one.handle)
    await becomes(endings, [Ending.DISMISSED, None])
    one.close()
    other.close()
    await becomes(total, 0)
    assert not await store.presence.end_stream(one.handle)


async def test_whoever_asks_may_have_an_event_loop_of_its_own(store: Store) -> None:
    """As a view has under WSGI, once for each request."""
    session = await begun(store)
    streams = opening(store)
    stream = socket(streams)
    open_now = (stream.handle,)

    async def shown() -> tuple[str, ...]:
        return tuple(one.handle for one in (await store.presence.streams(MOST)).seen)

    await becomes(shown, open_now)
    for _ in range(2):
        assert await asyncio.to_thread(asyncio.run, shown()) == open_now
        found = await asyncio.to_thread(asyncio.run, handles(store))
        assert found == [session_handle(session.id)]
    ending = store.presence.end_session(session_handle(session.id))
    assert await asyncio.to_thread(asyncio.run, _awaited(ending))
    assert await handles(store) == []
    stream.close()
    await becomes(shown, ())


async def _awaited(what: Awaitable[bool]) -> bool:
    return await what
