"""T7: Redis is killed under load, and comes back with all that it had acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.cluster import Cluster, cluster
from tests.faults.invariants import (
    of,
    one_reply,
    ran_once,
    refused_for_now,
    spared,
    stayed_open,
    unbroken,
)
from tests.faults.journal import Entry
from tests.faults.load import arrivals, load
from tests.faults.session import Session
from tests.faults.verdict import demand, require
from tests.faults.watchers import Watchers, watching

# Between two outages, for calls of all kinds.
UP_S = 2
ARRIVALS_APART_S = 0.1
RECOVERS_WITHIN_S = 5


@dataclass(frozen=True, kw_only=True)
class Size:
    """``down_s`` is how long Redis stays away, outage by outage; who is turned away,
    or waits, does so for no longer than ``waits_s``.
    """

    callers: int
    watchers: int
    down_s: Sequence[float]
    waits_s: float


SMALL = Size(callers=12, watchers=4, down_s=(1, 4), waits_s=8)
FULL = Size(callers=64, watchers=20, down_s=(2, 30) * 5, waits_s=5.5)


async def run(size: Size, directory: Path) -> str:
    notes = [f"note://{number}" for number in range(len(size.down_s))]
    async with cluster(directory / "restarted", 3) as served:
        async with (
            watching(served, size.watchers, *notes) as watchers,
            load(served, size.callers),
            arrivals(served, ARRIVALS_APART_S),
        ):
            recovered_s = [
                await _outage(served, watchers, note, down_s)
                for note, down_s in zip(notes, size.down_s, strict=True)
            ]
            once = dict.fromkeys(notes, 1)
            odd = [heard for heard in watchers.heard.values() if heard != once]
            require(not odd, f"standing streams said {odd}")
        entries = served.entries()
        require(not served.crashed(), f"crashed: {served.crashed()}")
    demand(entries, one_reply, ran_once, unbroken, spared)
    demand(entries, refused_for_now, stayed_open)
    require(_count(entries, "refused") > 0, "nobody called while Redis was away")
    waited_s = max(_waits_s(entries))
    require(waited_s <= size.waits_s, f"a caller waited {waited_s:.1f} s")
    slowest_s = max(recovered_s)
    require(slowest_s <= RECOVERS_WITHIN_S, f"it took {slowest_s:.1f} s to recover")
    return (
        f"Redis down for {', '.join(f'{s:g}' for s in size.down_s)} s under "
        f"{size.callers} callers: {_count(entries, 'answered')} calls answered, "
        f"{_count(entries, 'refused')} turned away with 503, nobody waited longer "
        f"than {waited_s:.1f} s; all {size.watchers} standing streams and as many "
        f"WebSockets stayed open, recovered within {slowest_s:.2f} s"
    )


async def _outage(
    served: Cluster, watchers: Watchers, note: str, down_s: float
) -> float:
    """Take Redis away for a while; return how long calls took to go well again."""
    await asyncio.sleep(UP_S)
    session = await Session.open(served)
    await asyncio.to_thread(served.redis.kill)
    # Somebody calls for certain, however busy the load is.
    called = asyncio.create_task(session.call({}))
    await asyncio.sleep(down_s / 2)
    await watchers.echo()
    await watchers.touch(note)
    await asyncio.sleep(down_s / 2)
    served.redis.launch()
    await asyncio.to_thread(served.redis.await_service)
    await called
    back_at = time.monotonic()
    while await session.call({}) != "result":  # noqa: ASYNC110 - of the server
        await asyncio.sleep(0)
    recovered_s = time.monotonic() - back_at
    await watchers.all_hear(note)
    await watchers.echo()
    return recovered_s


def _waits_s(entries: Sequence[Entry]) -> Iterator[float]:
    """Yield how long each caller waited until it was accepted or turned away."""
    sent_at = {entry["attempt"]: entry["at"] for entry in of(entries, "sent")}
    for entry in of(entries, "accepted", "refused"):
        yield entry["at"] - sent_at[entry["attempt"]]


def _count(entries: Sequence[Entry], kind: str) -> int:
    return len(list(of(entries, kind)))
