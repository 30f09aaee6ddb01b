"""What a count costs the cache, and how one fails."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import redis
from django.core.cache.backends.locmem import LocMemCache
from django.test import override_settings
from redis.client import Pipeline

from deploy.servers import Redis
from mcp_transport.engine.threads import Threads
from mcp_transport.guards.counters import Count, Counter, InRedis, counter_in
from tests.guards.caching import LOCAL, derived, in_redis

A, B, C = (Count(key, 60) for key in "abc")
KINDS: list[Callable[[Redis], dict[str, Any]]] = [in_redis, derived]


@pytest.fixture
def asked(server: Redis) -> Iterator[redis.Redis]:
    """What Redis says that it was asked."""
    with redis.Redis.from_url(server.url) as client:
        client.flushdb()
        yield client


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many commands went with each trip so far."""
    made: list[int] = []
    execute = Pipeline.execute

    def travel(pipeline: Pipeline) -> Any:
        made.append(len(pipeline))
        return execute(pipeline)

    monkeypatch.setattr(Pipeline, "execute", travel)
    return made


def connections(asked: redis.Redis) -> int:
    found: int = asked.info("stats")["total_connections_received"]
    return found


def counting(kept: dict[str, Any], threads: Threads) -> Counter:
    with override_settings(CACHES={"default": kept}):
        return counter_in("default", threads)


async def all_asked() -> None:
    """Let every task that was just made come to where it waits."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_all_counts_of_a_request_make_one_trip(
    server: Redis, asked: redis.Redis, threads: Threads, trips: list[int]
) -> None:
    count = counting(in_redis(server), threads)
    assert await count([A]) == [1]
    asked.config_resetstat()
    assert await count([A, B, C, A]) == [2, 1, 1, 3]
    assert trips == [2, 8]
    used = {name: told["calls"] for name, told in asked.info("commandstats").items()}
    del used["cmdstat_config|resetstat"]
    assert used == {"cmdstat_set": 4, "cmdstat_incrby": 4}
    ttls = [asked.ttl(f":1:{key}") for key in "abc"]
    assert all(0 < ttl <= 60 for ttl in ttls)


async def test_what_comes_while_one_is_under_way_makes_the_next_trip(
    server: Redis, asked: redis.Redis, threads: Threads, trips: list[int]
) -> None:
    count = counting(in_redis(server), threads)
    server.pause()
    try:
        tasks = [asyncio.create_task(count([A, B])) for _ in range(20)]
        await all_asked()
    finally:
        server.resume()
    counted = await asyncio.gather(*tasks)
    assert sorted(map(list, counted)) == [[n, n] for n in range(1, 21)]
    assert len(trips) <= 2
    assert sum(trips) == 80


@pytest.mark.parametrize("kind", KINDS)
async def test_connections_are_used_again_whoever_asks(
    kind: Callable[[Redis], dict[str, Any]],
    server: Redis,
    asked: redis.Redis,
    threads: Threads,
) -> None:
    count = counting(kind(server), threads)
    with override_settings(CACHES={"default": kind(server)}):
        before = connections(asked)
        for _ in range(100):
            # As for each request, which knows nothing of the others' caches.
            request = contextvars.Context()
            await asyncio.create_task(count([A]), context=request)
    # One for each thread at most: there are eight.
    assert connections(asked) - before <= 8
    assert asked.get(":1:a") == b"100"


async def test_whoever_has_gone_is_not_counted_and_the_others_are(
    server: Redis, asked: redis.Redis, threads: Threads
) -> None:
    count = counting(in_redis(server), threads)
    assert isinstance(count, InRedis)
    await count([C])
    server.pause()
    try:
        # One is under way. Two wait for the next.
        first = asyncio.create_task(count([A]))
        await all_asked()
        while count._waiting:  # noqa: ASYNC110 - a thread takes them
            await asyncio.sleep(0.001)
        gone, stays = (asyncio.create_task(count([key])) for key in (B, C))
        await all_asked()
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
    finally:
        server.resume()
    assert (await first, await stays) == ([1], [2])
    assert asked.get(":1:b") is None


def test_a_loop_that_ends_does_not_hold_up_the_others(
    server: Redis, asked: redis.Redis, threads: Threads
) -> None:
    count = counting(in_redis(server), threads)

    async def gives_up() -> None:
        async with asyncio.timeout(0.05):
            await count([A])

    async def waits() -> list[int]:
        return list(await count([B]))

    server.pause()
    try:
        with pytest.raises(TimeoutError):
            asyncio.run(gives_up())
    finally:
        server.resume()
    assert asyncio.run(waits()) == [1]


async def test_who_waits_for_a_cache_that_does_not_answer_is_told(
    server: Redis, threads: Threads
) -> None:
    count = counting(in_redis(server, socket_timeout=0.2), threads)
    server.pause()
    try:
        tasks = [asyncio.create_task(count([A])) for _ in range(20)]
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        server.resume()
    assert {type(outcome) for outcome in outcomes} == {redis.TimeoutError}
    # It is asked again when it is there again.
    (counted,) = await count([B])
    assert counted >= 1


async def test_a_count_that_is_no_number_fails_and_says_so(
    server: Redis, asked: redis.Redis, threads: Threads
) -> None:
    count = counting(in_redis(server), threads)
    asked.set(":1:a", "many")
    with pytest.raises(redis.ResponseError, match="not an integer"):
        await count([B, A])
    assert await count([C]) == [1]


async def test_the_memory_of_the_process_is_asked_at_once(threads: Threads) -> None:
    async def asking() -> Sequence[int]:
        return await counting({**LOCAL, "LOCATION": "at-once"}, threads)([A, B, A])

    with pytest.raises(StopIteration) as answered:
        asking().send(None)
    assert answered.value.value == [1, 1, 2]


class Contested(LocMemCache):
    """A cache where somebody else is always the first to begin."""

    def add(self, key: str, value: Any, *args: Any, **options: Any) -> bool:
        super().add(key, value, *args, **options)
        return super().add(key, value, *args, **options)


async def test_what_somebody_else_has_begun_meanwhile_is_added_to(
    threads: Threads,
) -> None:
    contested = f"{Contested.__module__}.{Contested.__qualname__}"
    count = counting({"BACKEND": contested, "LOCATION": "contested"}, threads)
    assert await count([A, A]) == [2, 3]
