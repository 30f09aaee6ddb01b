from __future__ import annotations

import asyncio
import random

import pytest
from redis.asyncio import Redis as Client

from mcp_transport.engine.limits import Limits
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.stores.redis import RedisStore
from mcp_transport.stores.redis.connection import Commands, Place
from tests.serving import free_port
from tests.stores.redis.conftest import Opened

PATIENCE_S = 20


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://h:1/2", Place("redis://h:1/2", "mcp")),
        ("redis://h/?prefix=shop", Place("redis://h/", "shop")),
        ("rediss://h/0?prefix=a&db=3", Place("rediss://h/0?db=3", "a")),
        ("unix:///run/redis.sock?db=1", Place("unix:///run/redis.sock?db=1", "mcp")),
    ],
)
def test_the_prefix_is_a_parameter_of_the_url(url: str, place: Place) -> None:
    assert Place.of(url) == place


async def test_a_redis_that_is_away_is_unavailable_after_a_while() -> None:
    commands = Commands(Place.of(f"redis://127.0.0.1:{free_port()}"))
    for patience_s in (0, 0.2):
        with pytest.raises(StoreUnavailable) as raised:
            await commands.run("held", "s", "q", patience_s=patience_s)
        assert str(raised.value) == ""
    with pytest.raises(StoreUnavailable):
        commands.run_blocking("held", "s", "q")
    with pytest.raises(StoreUnavailable):
        commands.info()
    await commands.close()


async def test_a_password_that_is_wrong_is_not_tried_for_long(url: str) -> None:
    commands = Commands(Place.of(url.replace("redis://", "redis://nobody:wrong@")))
    with pytest.raises(StoreUnavailable):
        async with asyncio.timeout(PATIENCE_S):
            await commands.run("held", "s", "q", patience_s=60)
    await commands.close()


async def test_a_command_can_be_cancelled_at_any_moment(url: str) -> None:
    commands = Commands(Place.of(url))

    async def ask() -> None:
        while True:
            await commands.run("held", "s", "q", patience_s=5)

    for _ in range(200):
        asking = asyncio.create_task(ask())
        await asyncio.sleep(random.random() * 0.003)
        asking.cancel()
        done, _ = await asyncio.wait([asking], timeout=PATIENCE_S)
        assert done == {asking}
        assert asking.cancelled()
    assert await commands.run("held", "s", "q", patience_s=5) == 0
    await commands.close()


async def test_a_store_belongs_to_one_loop_until_it_is_closed(url: str) -> None:
    store = RedisStore(url, Limits())
    assert await store.sessions.get("none", "me") is None

    def elsewhere() -> None:
        asyncio.run(look())

    async def look() -> None:
        assert await store.sessions.get("none", "me") is None
        await store.close()

    with pytest.raises(RuntimeError, match="one event loop"):
        await asyncio.to_thread(elsewhere)
    await store.close()
    await asyncio.to_thread(elsewhere)


async def test_scripts_that_redis_forgot_are_sent_again(
    opened: Opened, client: Client
) -> None:
    store = opened()
    assert await store.sessions.get("none", "me") is None
    await client.script_flush()
    assert await store.sessions.get("none", "me") is None
