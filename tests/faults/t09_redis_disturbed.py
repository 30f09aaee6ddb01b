"""T9: Redis hangs, drops connections, and its replies are lost, all under load."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from tests.faults.cluster import Cluster, cluster
from tests.faults.invariants import (
    of,
    one_reply,
    ran_once,
    refused_for_now,
    spared,
    unbroken,
)
from tests.faults.load import load
from tests.faults.proxy import SCRIPTS, Proxy
from tests.faults.session import Session
from tests.faults.verdict import demand, require
from tests.faults.watchers import watching

KILLS_APART_S = 0.3
# What runs only where a process has died; it is run again as often as the others
# in the tests of the store.
NEEDS_A_DEATH = frozenset({"bury"})
LONGEST_S = 240


@dataclass(frozen=True, kw_only=True)
class Size:
    """All connections are killed ``kills`` times, Redis stands still ``pauses``
    times for ``pause_s``, and ``cuts`` replies to each script are lost.
    """

    callers: int
    kills: int
    pauses: int
    pause_s: float
    cuts: int


SMALL = Size(callers=8, kills=8, pauses=1, pause_s=3, cuts=3)
FULL = Size(callers=32, kills=100, pauses=5, pause_s=10, cuts=100)


async def run(size: Size, directory: Path) -> str:
    async def killing(served: Cluster) -> None:
        for _ in range(size.kills):
            await asyncio.sleep(KILLS_APART_S)
            with served.ask() as redis:
                for kind in ("normal", "pubsub"):
                    redis.execute_command("CLIENT", "KILL", "TYPE", kind)

    async def pausing(served: Cluster) -> None:
        for _ in range(size.pauses):
            await asyncio.sleep(2)
            served.redis.pause()
            await asyncio.sleep(size.pause_s)
            served.redis.resume()

    killed = await _disturbed(size, directory / "killed", killing)
    paused = await _disturbed(size, directory / "paused", pausing)
    lost = await _lost(size, directory / "lost")
    return (
        f"{size.kills} times all connections killed: {killed}; {size.pauses} pauses "
        f"of {size.pause_s:g} s: {paused}; {size.cuts} replies lost to each of "
        f"{len(SCRIPTS - NEEDS_A_DEATH)} scripts: {lost}"
    )


async def _disturbed(
    size: Size, directory: Path, disturb: Callable[[Cluster], Awaitable[None]]
) -> str:
    async with cluster(directory, 3) as served:
        async with load(served, size.callers):
            await disturb(served)
        return _judged(served)


async def _lost(size: Size, directory: Path) -> str:
    """Lose replies until there were enough of each kind."""
    proxy = Proxy()
    async with cluster(directory, 3, proxy=proxy) as served:
        proxy.most = size.cuts
        ends_at = time.monotonic() + LONGEST_S
        async with load(served, size.callers):
            while not _enough(proxy):
                require(time.monotonic() < ends_at, f"only {dict(proxy.cut)} were lost")
                await _use_all(served)
        proxy.most = 0
        return _judged(served)


def _enough(proxy: Proxy) -> bool:
    return all(proxy.cut[name] >= proxy.most for name in SCRIPTS - NEEDS_A_DEATH)


async def _use_all(served: Cluster) -> None:
    """Do what the load does not: listen, subscribe, announce, cancel, leave."""
    async with watching(served, 4, "note://lost") as watchers:
        for _ in range(4):
            await watchers.touch("note://lost")
        await watchers.all_hear("note://lost")
        for _ in range(4):
            session = await Session.open(served)
            await session.tell("notifications/cancelled", {"requestId": "none"})
            await session.status("DELETE")


def _judged(served: Cluster) -> str:
    entries = served.entries()
    demand(entries, one_reply, ran_once, unbroken, spared, refused_for_now)
    require(not served.crashed(), f"crashed: {served.crashed()}")
    answered, refused = (
        len(list(of(entries, kind))) for kind in ("answered", "refused")
    )
    require(answered > 0, "nobody was answered")
    return f"{answered} calls answered, {refused} turned away with 503, none ran twice"
