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


async def test_what_the_caller_may_not_does_not_count_for_the_session() -> None:
    counts = CountedOnce()
    quotas = Quotas(counts, per_caller=Rate(1, 60), per_session=USUAL)
    session = Session.new(ADA)
    await quotas.spend(ADA, session)
    with pytest.raises(TooManyRequests):
        await quotas.spend(ADA, session)
    assert counts.spent["session", session.id, "2/m"] == 1


async def test_what_has_a_rate_of_its_own_is_counted_for_each_caller() -> None:
    counts = CountedOnce()
    quotas = Quotas(counts)
    for caller in (ADA, RATED):
        await quotas.spend_on("tool:dig", caller, Rate(1, 60))
    assert counts.spent == {("tool:dig", who, "1/m"): 1 for who in ("ada", "bob")}
    with pytest.raises(TooManyRequests):
        await quotas.spend_on("tool:dig", ADA, Rate(1, 60))


async def test_who_cannot_be_counted_is_not_let_through() -> None:
    counts = CountedOnce()
    counts.is_away = True
    with pytest.raises(StoreUnavailable):
        await Quotas(counts, per_caller=USUAL).spend(ADA, None)
    with pytest.raises(RuntimeError, match="a rate for caller, and nobody counts"):
        await Quotas().spend(RATED, None)
