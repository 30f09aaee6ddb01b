"""T2: a client breaks its connection off anywhere, and goes on at another process."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.faults.cluster import Cluster, cluster
from tests.faults.delays import delays_s
from tests.faults.invariants import (
    none_refused,
    of,
    one_reply,
    ran_once,
    spared,
    unbroken,
)
from tests.faults.journal import entries
from tests.faults.session import Session
from tests.faults.verdict import demand, ms, percentile, require

# What an event is long at least, so that all cuts come before the last one.
EVENT_BYTES = 150


@dataclass(frozen=True, kw_only=True)
class Size:
    """``at_once`` streams are open at a time, and their tools rest ``pause_s`` behind
    each event. ``timed`` others are cut once, and then show how long an event takes
    to a reader in another process.
    """

    streams: int
    events: int
    cuts: int
    at_once: int
    pause_s: float
    timed: int
    timed_events: int


SMALL = Size(
    streams=12,
    events=60,
    cuts=6,
    at_once=12,
    pause_s=0.02,
    timed=4,
    timed_events=25,
)
FULL = Size(
    streams=200,
    events=500,
    cuts=20,
    at_once=50,
    pause_s=0.02,
    timed=10,
    timed_events=200,
)


async def run(size: Size, directory: Path) -> str:
    woken = await _run(size, directory / "woken", {})
    lost = await _run(size, directory / "lost", {"FAULTS_HINTS": "dropped"})
    return f"{woken}; with every wake-up lost: {lost}"


async def _run(size: Size, directory: Path, environ: dict[str, str]) -> str:
    async with cluster(directory, 3, environ=environ) as served:
        began = time.monotonic()
        gate = asyncio.Semaphore(size.at_once)
        await asyncio.gather(*(_cut(served, size, gate) for _ in range(size.streams)))
        took_s = time.monotonic() - began
        events, cuts = _count(served, "event"), _count(served, "cut")
        delays = await delays_s(served, size.timed, size.timed_events)
        demand(served.entries(), one_reply, ran_once, unbroken, spared, none_refused)
    # Each stream ends with the response.
    require(events == size.streams * (size.events + 1), f"{events} events in all")
    require(cuts == size.streams * size.cuts, f"{cuts} cuts in all")
    return (
        f"{size.streams} streams, {events} events, {cuts} cuts, no gap, no double, "
        f"none out of order, {took_s:.0f} s; delivery to another process "
        f"p50 {ms(percentile(delays, 50))}, p99 {ms(percentile(delays, 99))}"
    )


async def _cut(served: Cluster, size: Size, gate: asyncio.Semaphore) -> None:
    async with gate:
        session = await Session.open(served)
        how = await session.call(
            {"says": size.events, "pause_s": size.pause_s},
            cuts=_anywhere(served, size),
        )
        require(how == "result", f"a call ended as {how}")


def _anywhere(served: Cluster, size: Size) -> Iterator[int]:
    """Yield how many bytes there are from each cut to the next."""
    most = size.events * EVENT_BYTES
    places = sorted(served.random.randrange(most) for _ in range(size.cuts))
    return (there - here for here, there in itertools.pairwise([0, *places]))


def _count(served: Cluster, kind: str) -> int:
    return len(list(of(entries(served.journal.path), kind)))
