from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis as Client

from mcp_transport.stores.redis.preconditions import problems
from tests.stores.redis.conftest import Opened

GOOD = {"maxmemory_policy": "noeviction", "maxmemory": 10**9, "aof_enabled": 1}


def test_a_redis_that_keeps_what_it_was_given_is_fine() -> None:
    assert problems(GOOD) == []
    assert problems({**GOOD, "maxmemory": 0, "maxmemory_policy": "allkeys-lru"}) == []


@pytest.mark.parametrize(
    ("info", "words"),
    [
        ({**GOOD, "maxmemory_policy": "allkeys-lru"}, "maxmemory-policy noeviction"),
        ({**GOOD, "aof_enabled": 0}, "appendonly yes"),
    ],
)
def test_one_that_forgets_is_told_of(info: dict[str, Any], words: str) -> None:
    (problem,) = problems(info)
    assert words in problem


async def test_it_is_said_at_the_first_use(
    opened: Opened, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    store = opened()
    await client.config_set("appendonly", "no")
    try:
        await store.sessions.get("none", "me")
        async with asyncio.timeout(20):
            while "appendonly yes" not in caplog.text:  # noqa: ASYNC110 - of a task
                await asyncio.sleep(0.01)
    finally:
        await client.config_set("appendonly", "yes")
