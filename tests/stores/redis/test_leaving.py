"""A reader whose connection ends while Redis is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.eventlog import STANDING, Reader
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.session import Session
from mcp_transport.stores.redis import RedisStore
from mcp_transport.stores.redis.connection import PATIENCE_S
from tests.serving import Redis, redis_server

BOUND_S = 30


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Redis]:
    """A Redis that may be killed."""
    with redis_server(tmp_path) as server:
        yield server


@asynccontextmanager
async def reading(
    server: Redis, limits: Limits
) -> AsyncIterator[tuple[RedisStore, Session, Reader]]:
    store = RedisStore(server.url, limits)
    session = Session.new(Caller("alice", frozenset()))
    await store.sessions.add(session)
    yield store, session, await store.events.read(session.id, STANDING)
    await store.close()


async def test_it_lets_go_of_its_stream_once_redis_is_back(server: Redis) -> None:
    async with reading(server, Limits()) as (store, session, reader):
        server.kill()
        leaving = asyncio.create_task(reader.leave())
        await asyncio.sleep(PATIENCE_S + 1)
        assert not leaving.done()
        await asyncio.to_thread(server.restart)
        async with asyncio.timeout(BOUND_S):
            await leaving
        assert not await store.events.is_read(session.id, STANDING)


async def test_it_gives_up_when_its_hold_is_over_anyway(server: Redis) -> None:
    async with reading(server, Limits(keep_alive_s=0.1)) as (_, _, reader):
        server.kill()
        async with asyncio.timeout(BOUND_S):
            await reader.leave()
