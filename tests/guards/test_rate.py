"""Rates, in Django's own caches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import django_ratelimit.core
import pytest
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.test import override_settings

import mcp_transport.guards.rate
from deploy.servers import Redis
from mcp_transport.checks.processes import check_counts
from mcp_transport.engine.rates import Rate, Use
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.engine.threads import Threads
from mcp_transport.guards.rate import CacheRates
from mcp_transport.protocol.errors import TooManyRequests
from tests.guards.caching import BACKENDS, LOCAL, derived, in_redis
from tests.serving import redis_server

TEN = Rate(10, 86_400)
SPENDS = 100
HERE = "tests.guards.test_rate"
CLOCKED = (django_ratelimit.core, mcp_transport.guards.rate)


@pytest.fixture(params=[None, in_redis, derived], ids=["local", "redis", "derived"])
def cache(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each kind of cache that counts."""
    kept: dict[str, Any] = LOCAL
    if request.param is not None:
        kept = request.param(request.getfixturevalue("server"))
    with override_settings(CACHES={"default": kept}):
        yield
        caches["default"].clear()


async def passes(rates: CacheRates, who: str = "ada", rate: Rate = TEN) -> bool:
    try:
        await rates.spend(Use("caller", who, rate))
    except TooManyRequests:
        return False
    return True


async def passed(rates: CacheRates, who: str) -> int:
    """Return how many of those who come at once get through."""
    return sum(await asyncio.gather(*(passes(rates, who) for _ in range(SPENDS))))


async def test_of_many_at_once_exactly_so_many_pass(
    cache: None, threads: Threads
) -> None:
    rates = CacheRates(threads)
    both = await asyncio.gather(passed(rates, "ada"), passed(rates, "bob"))
    assert tuple(both) == (10, 10)
    assert not await passes(rates, "ada")
    # Whoever counts anew, as another process does, goes on with the same count.
    assert not await passes(CacheRates(threads), "ada")
    assert await passes(CacheRates(threads), "eve")


def test_of_many_loops_on_many_threads_exactly_so_many_pass(
    cache: None, threads: Threads
) -> None:
    rates = CacheRates(threads)
    with ThreadPoolExecutor(8) as loops:
        outcomes = loops.map(lambda _: asyncio.run(passes(rates)), range(SPENDS))
        assert sum(outcomes) == 10


async def test_each_thing_and_each_rate_has_a_count_of_its_own(
    cache: None, threads: Threads
) -> None:
    rates, once = CacheRates(threads), Rate(1, 86_400)
    await rates.spend(Use("caller", "ada", once))
    await rates.spend(Use("session", "ada", once))
    await rates.spend(Use("caller", "ada", Rate(1, 86_400 * 2)))
    with pytest.raises(TooManyRequests, match="more than 1/d requests"):
        await rates.spend(Use("caller", "ada", once))


def counted(what: str, who: str, rate: Rate) -> int:
    """Return how far a count is, by django-ratelimit's own word."""
    usage = django_ratelimit.core.get_usage(
        None,
        group=f"mcp:{what}",
        key=lambda group, request: who,
        rate=(rate.limit, rate.period_s),
        increment=False,
    )
    count: int = usage["count"]
    return count


async def test_django_ratelimit_tells_of_the_same_counts(
    cache: None, threads: Threads
) -> None:
    rates, twice = CacheRates(threads), Rate(2, 86_400 * 3)
    await rates.spend(Use("caller", "ada", TEN), Use("session", "s1", twice))
    await rates.spend(Use("caller", "ada", TEN))
    assert counted("caller", "ada", TEN) == 2
    assert counted("session", "s1", twice) == 1
    assert counted("session", "s1", TEN) == 0


@pytest.mark.parametrize("order", [1, -1])
async def test_of_several_refusals_the_longest_wait_is_told(
    cache: None, threads: Threads, monkeypatch: pytest.MonkeyPatch, order: int
) -> None:
    clock = Clock(1_800_000_000)
    for module in CLOCKED:
        monkeypatch.setattr(module, "time", clock)
    rates = CacheRates(threads)
    free, minute, week = (
        Use("caller", "ada", TEN),
        Use("session", "s1", Rate(1, 60)),
        Use("tool:dig", "ada", Rate(1, 7 * 86_400)),
    )
    uses = (free, minute, week)[::order]
    await rates.spend(*uses)
    with pytest.raises(TooManyRequests, match="more than 1/7d requests") as both:
        await rates.spend(*uses)
    with pytest.raises(TooManyRequests, match="more than 1/m requests") as one:
        await rates.spend(free, minute)
    assert both.value.retry_after_s is not None
    assert one.value.retry_after_s is not None
    assert one.value.retry_after_s <= 61 < both.value.retry_after_s
    # What one of them refuses has been counted by all.
    assert [counted(*use) for use in (free, minute, week)] == [3, 3, 2]


class Clock:
    """The time of day, which passes by so much each time that it is asked for."""

    def __init__(self, now_s: float, step_s: float = 0) -> None:
        self.now_s, self.step_s = now_s, step_s

    def time(self) -> float:
        self.now_s += self.step_s
        return self.now_s


async def test_a_new_window_begins_when_the_old_one_ends(
    cache: None, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, rate = Clock(1_800_000_000), Rate(1, 60)
    for module in CLOCKED:
        monkeypatch.setattr(module, "time", clock)
    rates = CacheRates(threads)
    await rates.spend(Use("caller", "ada", rate))
    with pytest.raises(TooManyRequests) as refused:
        await rates.spend(Use("caller", "ada", rate))
    left_s = refused.value.retry_after_s
    assert left_s is not None
    assert 1 <= left_s <= rate.period_s + 1
    clock.now_s += left_s - 1
    assert not await passes(rates, rate=rate)
    # Whoever comes back when he was told to is served.
    clock.now_s += 1
    assert await passes(rates, rate=rate)


async def test_a_second_that_ends_while_it_is_counted_does_not_fail(
    cache: None, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(1_800_000_000, 1.0)
    for module in CLOCKED:
        monkeypatch.setattr(module, "time", clock)
    await CacheRates(threads).spend(Use("caller", "ada", Rate(1, 1)))


async def test_it_is_worth_to_wait_a_second_at_least(
    cache: None, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(1_800_000_000)
    for module in CLOCKED:
        monkeypatch.setattr(module, "time", clock)
    rates = CacheRates(threads)
    await rates.spend(Use("caller", "ada", Rate(1, 1)))
    with pytest.raises(TooManyRequests) as refused:
        await rates.spend(Use("caller", "ada", Rate(1, 1)))
    assert refused.value.retry_after_s == 1


@pytest.mark.parametrize("kind", [in_redis, derived])
async def test_without_the_cache_nobody_is_counted_and_nobody_passes(
    kind: Callable[[Redis], dict[str, Any]],
    tmp_path: Path,
    threads: Threads,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with (
        redis_server(tmp_path) as server,
        override_settings(CACHES={"default": kind(server)}),
    ):
        rates = CacheRates(threads)
        assert await passes(rates)
        server.kill()
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await rates.spend(Use("caller", "ada", TEN))
        server.launch()
        await asyncio.to_thread(server.await_service)
        assert await passes(rates)
    said = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert [line.partition(":")[0] for line in said] == [
        "the rates could not be counted"
    ] * 2


class Mute(LocMemCache):
    """A cache that keeps nothing and does not say so, as memcached does when away."""

    def add(self, *_: Any, **__: Any) -> bool:
        return False

    def incr(self, *_: Any, **__: Any) -> int:
        raise ValueError("no such key")


async def test_a_cache_that_does_not_count_and_does_not_say_so_lets_nobody_pass(
    threads: Threads,
) -> None:
    with (
        override_settings(CACHES={"default": {"BACKEND": f"{HERE}.Mute"}}),
        pytest.raises(StoreUnavailable),
    ):
        await CacheRates(threads).spend(Use("caller", "ada", TEN))


async def test_a_cache_that_pretends_to_count_is_an_error_of_the_checks(
    threads: Threads,
) -> None:
    dummy = {"BACKEND": f"{BACKENDS}.dummy.DummyCache"}
    served = {"CACHES": {"default": dummy}, "DEBUG": False, "ALLOWED_HOSTS": []}
    with override_settings(**served):
        assert await passed(CacheRates(threads), "ada") == SPENDS
        assert "mcp_transport.E010" in {message.id for message in check_counts()}


async def test_it_counts_in_the_cache_that_the_settings_name(threads: Threads) -> None:
    other = {"default": {"BACKEND": f"{HERE}.Mute"}, "rates": LOCAL}
    with override_settings(CACHES=other, RATELIMIT_USE_CACHE="rates"):
        caches["rates"].clear()
        assert await passed(CacheRates(threads), "ada") == 10


async def test_rates_that_are_switched_off_bind_nobody(threads: Threads) -> None:
    with override_settings(CACHES={"default": LOCAL}, RATELIMIT_ENABLE=False):
        assert await passed(CacheRates(threads), "ada") == SPENDS
