"""What a process leaves behind that dies at a bad moment, or died long ago."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis as Client

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.session import Session
from mcp_transport.stores.redis import RedisStore, pulse
from tests.stores.redis.conftest import Opened

BOUND_S = 20


@pytest.fixture(autouse=True)
def soon_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "SILENT_MS", 1500)
    monkeypatch.setattr(pulse, "SILENT_UNDER_OUR_EYES_S", 0.5)


async def session_in(store: RedisStore) -> Session:
    session = Session.new(Caller("alice", frozenset()))
    await store.sessions.add(session)
    return session


async def all_of(store: RedisStore, session: Session, stream: str) -> list[bytes]:
    """Read a stream from what was delivered last until it is closed."""
    reader = await store.events.read(session.id, stream)
    heard: list[bytes] = []
    async with asyncio.timeout(BOUND_S):
        while True:
            events, closed = await reader.read()
            heard += [event.data for event in events]
            if closed:
                return heard
            if not events:
                await reader.wait(1)


async def test_a_stream_whose_writer_died_behind_the_response_ends(
    opened: Opened,
) -> None:
    dying, other = opened(), opened()
    session = await session_in(dying)
    writer = await dying.events.write(session.id, "q", [7])
    await writer.append([b"the response"], [7])
    await dying.close()
    assert await all_of(other, session, "q") == [b"the response"]


async def test_it_is_told_as_long_as_the_stream_is_kept(
    opened: Opened, client: Client
) -> None:
    dying, other = opened(), opened()
    session = await session_in(dying)
    await dying.events.write(session.id, "q", [7])
    dead, prefix = dying.pulse.process, dying.place.prefix
    await dying.close()
    # It fell silent just before the stream would expire.
    kept_ms = 1000 * dying.events.limits.session_idle_s
    await client.zincrby(f"{prefix}:processes", -kept_ms, dead)
    (error,) = await all_of(other, session, "q")
    assert b'"id":7' in error
    assert b"has died" in error
