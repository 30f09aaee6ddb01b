"""Who adds to the counts that a cache keeps, in the way that is cheapest there."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

from mcp_transport.engine.server import RunSync


class Count(NamedTuple):
    """What is kept under ``key``, for ``lifetime_s`` from its beginning."""

    key: str
    lifetime_s: int


class Counter(Protocol):
    async def __call__(self, counts: Sequence[Count]) -> Sequence[int]:
        """Add one to each, and return what they are then.

        What cannot be counted is an exception of the cache or of its library: each
        has its own.
        """
        ...


def counter_in(alias: str, run_sync: RunSync) -> Counter:
    """Return who counts in ``CACHES[alias]``, away from the event loop if it has to
    be asked over a connection.
    """
    cache = caches[alias]
    if isinstance(cache, LocMemCache):
        return Near(cache)
    # One that is derived from it may keep its counts in another way.
    if type(cache) is RedisCache:
        return InRedis(cache)
    return Far(alias, run_sync)


def _add_one(cache: BaseCache, count: Count) -> int:
    for _ in range(2):
        try:
            return int(cache.incr(count.key))
        except ValueError:
            # It begins here; or with another process, which was faster.
            if cache.add(count.key, 1, count.lifetime_s):
                return 1
    raise LookupError("the cache keeps no counts")


class Near:
    """Counts in the memory of this process."""

    def __init__(self, cache: BaseCache) -> None:
        self._cache = cache

    async def __call__(self, counts: Sequence[Count]) -> Sequence[int]:
        return [_add_one(self._cache, count) for count in counts]


class Far:
    """Counts in any cache, on a thread that keeps its connections to it: ``caches``
    would make a cache anew for each request.
    """

    def __init__(self, alias: str, run_sync: RunSync) -> None:
        self._own = _Own(alias)
        self._run_sync = run_sync

    async def __call__(self, counts: Sequence[Count]) -> Sequence[int]:
        return await self._run_sync(
            lambda: [_add_one(self._own.cache, count) for count in counts]
        )


class _Own(threading.local):
    """One cache for each thread, as Django's are made to be used."""

    def __init__(self, alias: str) -> None:
        self.cache = caches.create_connection(alias)


class Waiting(NamedTuple):
    counts: Sequence[Count]
    counted: asyncio.Future[Sequence[int]]


class InRedis:
    """Counts in Django's Redis cache, by its client and keys, as ``add`` and ``incr``
    would; but these make a client each, and three trips of every count. Here all that
    waits to be counted makes one trip, and what comes meanwhile the next.
    """

    def __init__(self, cache: RedisCache) -> None:
        self._cache = cache
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mcp-rates")
        self._lock = threading.Lock()
        self._waiting: list[Waiting] = []
        self._is_under_way = False

    async def __call__(self, counts: Sequence[Count]) -> Sequence[int]:
        counted = asyncio.get_running_loop().create_future()
        with self._lock:
            if not self._is_under_way:
                self._thread.submit(self._travel)
                self._is_under_way = True
            self._waiting.append(Waiting(counts, counted))
        answer: Sequence[int] = await counted
        return answer

    def _travel(self) -> None:
        """Make one trip after the other, until nobody waits."""
        while waiting := self._next():
            # Whoever has gone is not counted.
            here = [one for one in waiting if not one.counted.cancelled()]
            answer = self._ask([count for one in here for count in one.counts])
            for loop in {one.counted.get_loop() for one in here}:
                with suppress(RuntimeError):  # it is closed, and nobody waits there
                    loop.call_soon_threadsafe(_tell, loop, here, answer)

    def _next(self) -> list[Waiting]:
        with self._lock:
            waiting, self._waiting = self._waiting, []
            self._is_under_way = bool(waiting)
        return waiting

    def _ask(self, counts: Sequence[Count]) -> list[int] | Exception:
        try:
            pipeline = self._client.pipeline(transaction=False)
            for count in counts:
                key = self._cache.make_and_validate_key(count.key)
                pipeline.set(key, 0, ex=count.lifetime_s, nx=True)
                pipeline.incr(key)
            replies: list[int] = pipeline.execute()
        except Exception as error:
            return error
        return replies[1::2]

    @cached_property
    def _client(self) -> Any:
        return self._cache._cache.get_client(write=True)


def _tell(
    loop: asyncio.AbstractEventLoop,
    waiting: Sequence[Waiting],
    answer: Sequence[int] | Exception,
) -> None:
    """Answer those who wait in this loop: to wake it is what costs."""
    begin = 0
    for counts, counted in waiting:
        end = begin + len(counts)
        if counted.get_loop() is loop and not counted.done():
            if isinstance(answer, Exception):
                counted.set_exception(answer)
            else:
                counted.set_result(answer[begin:end])
        begin = end
