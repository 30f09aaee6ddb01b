from __future__ import annotations

import pytest

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.quotas import Quotas
from mcp_transport.engine.rates import Rate
from mcp_transport.engine.session import Session
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.protocol.errors import TooManyRequests
from tests.engine.counting import CountedOnce

ADA = Caller("ada")
RATED = Caller("bob", rate=Rate(1, 60))
USUAL = Rate(2, 60)


@pytest.mark.parametrize(
    ("caller", "rates", "binds"),
    [
        (ADA, {}, False),
        (RATED, {}, True),
        (ADA, {"per_caller": USUAL}, True),
        (ADA, {"per_session": USUAL}, True),
    ],
)
def test_only_what_has_a_rate_is_counted(
    caller: Caller, rates: dict[str, Rate], binds: bool
) -> None:
    assert Quotas(CountedOnce(), **rates).bind(caller) is binds


async def test_a_credentials_own_rate_stands_for_the_usual_one() -> None:
    counts = CountedOnce()
    quotas = Quotas(counts, per_caller=USUAL)
    for caller in (ADA, RATED):
        await quotas.spend(caller, None)
    assert counts.spent == {("caller", "ada", "2/m"): 1, ("caller", "bob", "1/m"): 1}
    await quotas.spend(ADA, None)
    for caller in (ADA, RATED):
        with pytest.raises(TooManyRequests):
            await quotas.spend(caller, None)


async def test_a_session_is_counted_by_itself() -> None:
    counts = CountedOnce()
    quotas = Quotas(counts, per_session=Rate(1, 60))
    one, other = Session.new(ADA), Session.new(ADA)
    await quotas.spend(ADA, None)
    for session in (one, other):
        await quotas.spend(ADA, session)
    assert counts.spent == {("session", s.id, "1/m"): 1 for s in (one, other)}
    with pytest.raises(TooManyRequests):
        await quotas.spend(ADA, one)


async def test_a_caller_and_its_session_are_counted_together() -> None:
    counts = CountedOnce()
    quotas = Quotas(counts, per_caller=Rate(1, 60), per_session=USUAL)
    session = Session.new(ADA)
    await quotas.spend(ADA, session)
    assert counts.trips == 1
    # What the caller may not counts for the session too.
    with pytest.raises(TooManyRequests, match="more than 1/m"):
        await quotas.spend(ADA, session)
    assert counts.spent["session", session.id, "2/m"] == 2


async def test_where_there_is_nothing_to_count_nobody_is_asked() -> None:
    counts = CountedOnce()
    await Quotas(counts, per_session=USUAL).spend(ADA, None)
    await Quotas(counts).spend_on(ADA, [])
    await Quotas().spend_on(ADA, [])
    assert counts.trips == 0


async def test_what_has_a_rate_of_its_own_is_counted_for_each_caller() -> None:
    counts = CountedOnce()
    quotas = Quotas(counts)
    rates = [("tool:dig", Rate(1, 60)), ("tool:spade", USUAL)]
    for caller in (ADA, RATED):
        await quotas.spend_on(caller, rates)
    assert counts.trips == 2
    assert counts.spent == {
        (what, who, str(rate)): 1 for what, rate in rates for who in ("ada", "bob")
    }
    with pytest.raises(TooManyRequests):
        await quotas.spend_on(ADA, rates[:1])


async def test_who_cannot_be_counted_is_not_let_through() -> None:
    counts = CountedOnce()
    counts.is_away = True
    with pytest.raises(StoreUnavailable):
        await Quotas(counts, per_caller=USUAL).spend(ADA, None)
    with pytest.raises(RuntimeError, match="a rate for caller, and nobody counts"):
        await Quotas().spend(RATED, None)
