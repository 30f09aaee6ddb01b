"""A real Redis for these tests, and stores of several processes on it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from redis.asyncio import Redis as Client

from mcp_transport.engine.limits import Limits
from mcp_transport.stores.redis import RedisStore
from tests.serving import Redis, redis_server

Opened = Callable[..., RedisStore]


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def url(redis: Redis) -> str:
    """A place on the Redis that no other test uses."""
    return f"{redis.url}?prefix={secrets.token_hex(4)}"


@pytest.fixture
async def client(redis: Redis) -> AsyncIterator[Client]:
    """Look at the Redis itself."""
    async with Client.from_url(redis.url) as looking:
        yield looking


@pytest.fixture
async def opened(url: str) -> AsyncIterator[Opened]:
    """Give stores, each as another process has it."""
    stores: list[RedisStore] = []

    def store(**limits: Any) -> RedisStore:
        stores.append(RedisStore(url, Limits(**limits)))
        return stores[-1]

    yield store
    for one in stores:
        await one.close()
