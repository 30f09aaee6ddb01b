from __future__ import annotations

import pytest

from mcp_transport.engine.rates import Rate
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.guards.attempts import MAX_BARRED, Attempts
from mcp_transport.protocol.errors import TooManyRequests
from tests.engine.counting import RETRY_AFTER_S, CountedOnce

HOME, AWAY = "192.0.2.1", "192.0.2.2"
TWICE = Rate(2, 60)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counts() -> CountedOnce:
    return CountedOnce()


@pytest.fixture
def attempts(counts: CountedOnce, clock: Clock) -> Attempts:
    return Attempts(counts, TWICE, clock=clock)


async def bar(attempts: Attempts, address: str = HOME) -> TooManyRequests:
    for _ in range(TWICE.limit):
        await attempts.failed(address)
    attempts.check(address)
    with pytest.raises(TooManyRequests) as barred:
        await attempts.failed(address)
    return barred.value


async def test_one_failure_too_many_bars_an_address_and_no_other(
    attempts: Attempts,
) -> None:
    barred = await bar(attempts)
    assert barred.message == "too many failed authentications"
    assert barred.retry_after_s == RETRY_AFTER_S + 1
    for _ in range(3):
        with pytest.raises(TooManyRequests, match="too many failed"):
            attempts.check(HOME)
    attempts.check(AWAY)
    await attempts.failed(AWAY)


async def test_whoever_is_barred_is_counted_no_more(
    attempts: Attempts, counts: CountedOnce
) -> None:
    await bar(attempts)
    for _ in range(5):
        with pytest.raises(TooManyRequests):
            attempts.check(HOME)
    assert counts.spent == {("failures", HOME, "2/m"): 3}


async def test_the_bar_falls_when_its_time_is_over(
    attempts: Attempts, clock: Clock
) -> None:
    await bar(attempts)
    clock.now_s += RETRY_AFTER_S - 0.5
    with pytest.raises(TooManyRequests) as barred:
        attempts.check(HOME)
    assert barred.value.retry_after_s == 1
    clock.now_s += 0.5
    attempts.check(HOME)
    # It is gone, not only late: time that stands still does not bring it back.
    clock.now_s -= 0.5
    attempts.check(HOME)


async def test_another_process_bars_it_at_its_own_next_failure(
    attempts: Attempts, counts: CountedOnce, clock: Clock
) -> None:
    await bar(attempts)
    other = Attempts(counts, TWICE, clock=clock)
    other.check(HOME)
    with pytest.raises(TooManyRequests):
        await other.failed(HOME)
    with pytest.raises(TooManyRequests):
        other.check(HOME)


async def test_without_a_rate_nothing_is_counted(counts: CountedOnce) -> None:
    attempts = Attempts(counts, None)
    for _ in range(100):
        await attempts.failed(HOME)
        attempts.check(HOME)
    assert not counts.spent


async def test_a_failure_that_cannot_be_counted_is_told(
    attempts: Attempts, counts: CountedOnce
) -> None:
    counts.is_away = True
    with pytest.raises(StoreUnavailable):
        await attempts.failed(HOME)


async def test_so_many_are_barred_at_most_and_the_oldest_go_first(
    counts: CountedOnce, clock: Clock
) -> None:
    attempts = Attempts(counts, Rate(1, 60), clock=clock)
    addresses = [str(number) for number in range(MAX_BARRED + 1)]
    for address in addresses:
        await attempts.failed(address)
        with pytest.raises(TooManyRequests):
            await attempts.failed(address)
    attempts.check(addresses[0])
    for address in (addresses[1], addresses[-1]):
        with pytest.raises(TooManyRequests):
            attempts.check(address)
