"""What finds sessions in Redis does not outlive them."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis as Client

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.session import Session
from mcp_transport.stores.redis import RedisStore
from tests.stores.redis.conftest import Opened

PATIENCE_S = 20
LOOK_AGAIN_S = 0.05
ME = Caller("me")
KINDS = ("session", "sessions", "caller", "subscribed")


async def subscriber(store: RedisStore, uri: str) -> Session:
    session = Session.new(ME)
    await store.sessions.add(session)
    session.subscriptions.add(uri)
    await store.sessions.save(session)
    return session


def prefix_of(url: str) -> str:
    return url.partition("prefix=")[2]


async def of_sessions(client: Client, url: str) -> list[str]:
    pattern = f"{prefix_of(url)}:*"
    names = [key.decode() async for key in client.scan_iter(pattern)]
    return [name for name in names if name.split(":")[1] in KINDS]


async def test_nothing_is_left_of_sessions_that_expired(
    opened: Opened, client: Client, url: str
) -> None:
    store = opened(session_idle_s=1)
    await subscriber(store, "doc://one")
    assert len(await of_sessions(client, url)) == 5
    async with asyncio.timeout(PATIENCE_S):
        while await of_sessions(client, url):  # noqa: ASYNC110 - Redis forgets them
            await asyncio.sleep(LOOK_AGAIN_S)


async def test_a_session_in_use_keeps_what_finds_it(
    opened: Opened, client: Client, url: str
) -> None:
    store = opened(session_idle_s=2)
    session = await subscriber(store, "doc://one")
    for name in await of_sessions(client, url):
        await client.pexpire(name, 1000)
    assert await store.sessions.get(session.id, ME.subject) is not None
    for name in await of_sessions(client, url):
        assert await client.pttl(name) > 1000, name


async def test_who_subscribes_drops_those_that_are_gone(
    opened: Opened, client: Client, url: str
) -> None:
    store = opened()
    for _ in range(3):
        gone = await subscriber(store, "doc://one")
        await client.delete(f"{prefix_of(url)}:session:{gone.id}")
    live = await subscriber(store, "doc://one")
    members = await client.smembers(f"{prefix_of(url)}:subscribed:doc://one")
    assert members == {live.id.encode()}


async def test_the_name_of_a_part_is_no_session(opened: Opened) -> None:
    store = opened()
    session = await subscriber(store, "doc://one")
    for part in ("subscribed", "claims", "streams", "state:0"):
        assert await store.sessions.get(f"{session.id}:{part}", ME.subject) is None
