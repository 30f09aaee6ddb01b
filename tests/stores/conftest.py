"""Each kind of store, for the tests of what every one of them does."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from mcp_transport.engine.limits import Limits
from mcp_transport.engine.store import Store
from mcp_transport.stores.memory import MemoryStore
from mcp_transport.stores.redis import RedisStore
from tests.serving import redis_server

# A store of its own, with these limits over the usual.
StoreOf = Callable[..., Awaitable[Store]]
Kind = Callable[[pytest.FixtureRequest, Limits], AbstractAsyncContextManager[Store]]


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@asynccontextmanager
async def memory(_: pytest.FixtureRequest, limits: Limits) -> AsyncIterator[Store]:
    yield MemoryStore(limits)


@asynccontextmanager
async def redis(request: pytest.FixtureRequest, limits: Limits) -> AsyncIterator[Store]:
    url: str = request.getfixturevalue("redis_url")
    store = RedisStore(f"{url}?prefix={secrets.token_hex(4)}", limits)
    yield store
    await store.close()


KINDS: Mapping[str, Kind] = {"memory": memory, "redis": redis}


@pytest.fixture(params=KINDS)
async def store_of(request: pytest.FixtureRequest) -> AsyncIterator[StoreOf]:
    async with AsyncExitStack() as stores:

        async def opened(**limits: Any) -> Store:
            kind = KINDS[request.param]
            return await stores.enter_async_context(kind(request, Limits(**limits)))

        yield opened


@pytest.fixture
async def store(store_of: StoreOf) -> Store:
    return await store_of()
