"""What is shown of processes that die, are crowded, or are of an older version."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis as Client

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.session import Session
from mcp_transport.protocol.peer import Peer
from mcp_transport.protocol.revisions import LATEST_STATEFUL
from mcp_transport.stores.redis import RedisStore, presence
from mcp_transport.transports.open_streams import OpenStreams
from tests.stores.redis.conftest import Opened

ADA = Caller("ada", token_id="abc")
BOUND_S = 20
OFTEN_S = 0.02
MOST = 10


class Held:
    async def caller(self) -> Caller:
        return ADA


def opening(store: RedisStore) -> OpenStreams:
    streams = OpenStreams(Limits(), store.presence.changed)
    store.presence.watch(streams)
    return streams


async def becomes(store: RedisStore, total: int) -> None:
    """Wait until so many streams are shown; raises TimeoutError."""
    async with asyncio.timeout(BOUND_S):
        while (await store.presence.streams(MOST)).total != total:  # noqa: ASYNC110 - others say
            await asyncio.sleep(OFTEN_S)


async def test_what_was_open_in_a_process_that_died_is_forgotten(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "BELIEVED_MS", 2500)
    dying, other = opened(), opened()
    streams = opening(dying)
    stream = streams.standing(ADA, Held())
    await becomes(other, 1)
    # It says nothing more, as if it had been killed.
    await dying.presence.close()
    assert (await other.presence.streams(MOST)).total == 1
    await becomes(other, 0)
    stream.close()
    await dying.presence.close()


async def test_the_streams_of_all_processes_are_shown_and_one_process_not_whole(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "MOST_SHOWN", 2)
    one, other, looking = opened(), opened(), opened()
    crowded, calm = opening(one), opening(other)
    streams = [crowded.standing(ADA, Held()) for _ in range(3)]
    streams.append(calm.standing(ADA, Held()))
    await becomes(looking, 4)
    census = await looking.presence.streams(MOST)
    assert len(census.seen) == 3
    assert streams[-1].handle in {seen.handle for seen in census.seen}
    for stream in streams:
        stream.close()
    await becomes(looking, 0)


async def test_a_process_that_holds_nothing_writes_nothing(
    opened: Opened, url: str, client: Client
) -> None:
    store = opened()
    stream = opening(store).standing(ADA, Held())
    await becomes(store, 1)
    stream.close()
    await becomes(store, 0)
    prefix = url.partition("prefix=")[2]
    assert await client.keys(f"{prefix}:open*") == []


async def test_a_session_that_an_older_version_began_is_served_and_shown(
    opened: Opened, url: str, client: Client
) -> None:
    store = opened()
    session = Session.new(ADA, "streamable-http")
    session.peer = Peer(LATEST_STATEFUL, info={"name": "app", "version": "1"})
    await store.sessions.add(session)
    prefix = url.partition("prefix=")[2]
    key = f"{prefix}:session:{session.id}"
    assert await client.hdel(key, "door", "token", "client") == 3
    (seen,) = (await store.presence.sessions(MOST)).seen
    assert (seen.subject, seen.door, seen.token_id, seen.client) == ("ada", "", "", "")
    found = await store.sessions.get(session.id, "ada")
    assert found is not None
    await store.sessions.save(found)
    (seen,) = (await store.presence.sessions(MOST)).seen
    assert (seen.client, seen.door) == ("app 1", "")
