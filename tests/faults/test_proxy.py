"""The proxy lets a script run, and loses the reply to every other run of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from mcp_transport.stores.redis.connection import Script
from tests.faults.proxy import SCRIPTS, Proxy
from tests.serving import redis_server

SIGNAL = Script.named("signal")
CHANGE = ("process", "said", 60_000, 1)


@pytest.fixture
async def proxied(tmp_path: Path) -> AsyncIterator[tuple[Proxy, redis.asyncio.Redis]]:
    proxy = Proxy()
    with redis_server(tmp_path) as server:
        async with proxy.before(server.port) as url:
            once = Retry(NoBackoff(), 0)
            client = redis.asyncio.Redis.from_url(url, retry=once)
            yield proxy, client
            await client.aclose()


async def run(client: redis.asyncio.Redis, token: str) -> None:
    await client.eval(SIGNAL.text, 1, "mcp", token, *CHANGE)


async def test_every_other_reply_is_lost_and_no_run(
    proxied: tuple[Proxy, redis.asyncio.Redis],
) -> None:
    proxy, client = proxied
    proxy.most = 2
    for number in range(4):
        if number % 2:
            await run(client, str(number))
        else:
            with pytest.raises(redis.ConnectionError):
                await run(client, str(number))
    for number in range(4, 8):
        await run(client, str(number))
    assert await client.xlen("mcp:signals") == 8
    assert proxy.cut == {"signal": 2}
    assert not proxy.is_done


async def test_what_did_not_run_is_not_counted(
    proxied: tuple[Proxy, redis.asyncio.Redis],
) -> None:
    proxy, client = proxied
    proxy.most = 1
    with pytest.raises(redis.exceptions.NoScriptError):
        await client.evalsha(SIGNAL.sha, 1, "mcp", "token", *CHANGE)
    assert proxy.cut == {}
    with pytest.raises(redis.ConnectionError):
        await run(client, "token")
    assert proxy.cut == {"signal": 1}


async def test_what_is_no_script_passes(
    proxied: tuple[Proxy, redis.asyncio.Redis],
) -> None:
    proxy, client = proxied
    proxy.most = 1
    for number in range(10):
        await client.set(f"key {number}", b"\r\n" * 100_000)
        assert await client.get(f"key {number}") == b"\r\n" * 100_000


def test_every_script_is_known() -> None:
    assert {"append", "bury", "get", "next", "pulse"} <= SCRIPTS
    assert "prelude" not in SCRIPTS
