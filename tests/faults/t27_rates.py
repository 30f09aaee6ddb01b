"""T27: several processes count in one cache: exactly as many are served as may be."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from django_ratelimit.core import _get_window

from mcp_transport.engine.rates import Rate
from tests.faults.cluster import Cluster, cluster
from tests.faults.holder import shake_hands, status_of_call
from tests.faults.requests import post, request
from tests.faults.tokens import Tokens, subject_of
from tests.faults.verdict import require

PROCESSES = 3
# The last window is left before it ends: what is still under way might be counted in
# the next one.
LEFT_EARLY_S = 0.3
RECOVERS_WITHIN_S = 30

Ask = Callable[[], Awaitable[int]]


@dataclass(frozen=True, kw_only=True)
class Size:
    """``clients`` ask for more than ``rate`` in ``windows`` windows, each ``apart_s``
    after its last answer; Redis stays away for ``down_s``.
    """

    rate: str
    windows: int
    clients: int
    apart_s: float
    down_s: float


SMALL = Size(rate="20/2s", windows=2, clients=10, apart_s=0.02, down_s=1)
FULL = Size(rate="100/m", windows=5, clients=10, apart_s=0.1, down_s=10)


@dataclass(frozen=True, slots=True)
class Answer:
    """Times of day, in seconds, by the clock of this machine."""

    began_s: float
    ended_s: float
    status: int


async def run(size: Size, directory: Path) -> str:
    tokens = Tokens(directory, rate=size.rate)
    await tokens.prepare()
    (rated,) = await tokens.issue(1, size.rate)
    one, other = await tokens.issue(2)
    where = directory / "rates"
    async with cluster(where, PROCESSES, environ=tokens.environ) as served:
        session = await shake_hands(served.choose(), other)
        ids = itertools.count(1)

        async def in_session() -> int:
            message = request("ping", str(next(ids)), {})
            reply = await post(served.choose(), message, session)
            await reply.whole()
            return reply.status

        measured = await asyncio.gather(
            _measure("token", subject_of(rated), size, _calls(served, rated, "echo")),
            _measure("tool", subject_of(one), size, _calls(served, one, "rarely")),
            _measure("session", session["Mcp-Session-Id"], size, in_session),
        )
        require(not served.crashed(), f"crashed: {served.crashed()}")
        outage = await _outage(served, rated, size)
    return "; ".join([*measured, outage])


def _calls(served: Cluster, token: str, tool: str) -> Ask:
    return lambda: status_of_call(served.choose(), token, tool)


async def _measure(kind: str, who: str, size: Size, ask: Ask) -> str:
    """Ask for too much, from where a window begins to where one ends."""
    rate = Rate.parse(size.rate)
    # The last second of a window is its own.
    begins_s = _get_window(who, rate.period_s) + 1
    ends_s = begins_s + size.windows * rate.period_s
    answers: list[Answer] = []

    async def client() -> None:
        await asyncio.sleep(begins_s - time.time())
        while (began_s := time.time()) < ends_s - LEFT_EARLY_S:
            if began_s < begins_s:  # woken too early
                await asyncio.sleep(0.001)
                continue
            status = await ask()
            answers.append(Answer(began_s, time.time(), status))
            await asyncio.sleep(size.apart_s)

    await asyncio.gather(*(client() for _ in range(size.clients)))
    return _found(kind, rate, begins_s, size.windows, answers)


def _found(
    kind: str, rate: Rate, begins_s: int, windows: int, answers: list[Answer]
) -> str:
    """Return how many were served. Raises Failed."""
    statuses = Counter(answer.status for answer in answers)
    require(set(statuses) == {200, 429}, f"{kind}: answers were {dict(statuses)}")
    served = [answer for answer in answers if answer.status == 200]
    for number in range(windows):
        start_s = begins_s + number * rate.period_s
        end_s = start_s + rate.period_s
        # A call over the edge may have been counted on either side of it.
        within = sum(start_s <= a.began_s and a.ended_s < end_s for a in served)
        about = sum(a.began_s < end_s and start_s <= a.ended_s for a in served)
        said = f"{kind}: from {within} to {about} were served in a window, not {rate}"
        require(within <= rate.limit <= about, said)
    ends_s = begins_s + windows * rate.period_s
    late = sum(a.ended_s >= ends_s for a in served)
    more = len(served) - windows * rate.limit
    require(0 <= more <= late, f"{kind}: {more:+} of {len(served)} were served")
    return (
        f"{kind}: {len(served)} of {len(answers)} were served in {windows} windows of "
        f"{rate}"
    )


async def _outage(served: Cluster, token: str, size: Size) -> str:
    """Take Redis away: nobody is served uncounted, at any process."""
    await asyncio.to_thread(served.redis.kill)
    statuses: Counter[int] = Counter()
    until = time.monotonic() + size.down_s
    while time.monotonic() < until:
        for member in served.members:
            statuses[await status_of_call(member, token)] += 1
    served.redis.launch()
    await asyncio.to_thread(served.redis.await_service)
    require(set(statuses) == {503}, f"without Redis, answers were {dict(statuses)}")
    async with asyncio.timeout(RECOVERS_WITHIN_S):
        for member in served.members:
            while await status_of_call(member, token) == 503:  # noqa: ASYNC110 - of it
                await asyncio.sleep(0.1)
    return f"Redis away: all {statuses.total()} calls were answered with 503"
