"""T9: Redis drops its connections, hangs, and its replies are lost, all under load."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.cluster import Cluster, cluster
from tests.faults.delays import delays_s
from tests.faults.invariants import (
    of,
    one_reply,
    ran_once,
    refused_for_now,
    spared,
    stayed_open,
    unbroken,
)
from tests.faults.load import arrivals, load
from tests.faults.proxy import SCRIPTS, Proxy
from tests.faults.session import Session
from tests.faults.streamlog import not_as_heard
from tests.faults.verdict import demand, ms, percentile, require
from tests.faults.watchers import Watchers, watching

KILLS_APART_S = 0.3
PAUSES_APART_S = 1
ARRIVALS_APART_S = 0.1
WATCHERS = 4
NOTES = 8
# With hints an event takes some milliseconds; without, half a second.
HINTED_P50_S = 0.25
TIMED_EVENTS = 16
# It has begun once it says so, and would go on for long.
UNFINISHED = {"says": 1, "pause_s": 50}
BEGUN_WITHIN_S = 30
LOST_WITHIN_S = 240


@dataclass(frozen=True, kw_only=True)
class Size:
    """All connections are killed ``kills`` times, Redis stands still ``pauses``
    times for ``pause_s``, and ``cuts`` replies to each script are lost. ``silent_s``
    as in T5.
    """

    callers: int
    kills: int
    pauses: int
    pause_s: float
    cuts: int
    silent_s: float | None


SMALL = Size(callers=8, kills=6, pauses=1, pause_s=4.5, cuts=2, silent_s=3)
FULL = Size(callers=32, kills=100, pauses=5, pause_s=10, cuts=100, silent_s=None)


async def run(size: Size, directory: Path) -> str:
    environ = {"FAULTS_SILENT_S": str(size.silent_s)} if size.silent_s else {}
    proxy = Proxy()
    async with cluster(
        directory / "disturbed", 3, environ=environ, proxy=proxy
    ) as served:
        async with _busy(served, size) as watchers:
            await _kill_connections(served, size.kills)
            await _hear_once(watchers, "note://killed")
            await _pause(served, size)
            await _hear_once(watchers, "note://paused")
        demand(served.entries(), stayed_open, refused_for_now)
        async with _busy(served, size):
            await _lose_replies(served, proxy, size.cuts)
        hinted_s = percentile(await delays_s(served, WATCHERS, TIMED_EVENTS), 50)
        entries = served.entries()
        demand(entries, one_reply, ran_once, unbroken, spared, refused_for_now)
        require(not served.crashed(), f"crashed: {served.crashed()}")
        with served.ask() as redis:
            wrong = not_as_heard(redis, entries)
        require(not wrong, "; ".join(wrong[:3]))
    require(any(of(entries, "refused")), "nobody asked while Redis hung")
    require(hinted_s <= HINTED_P50_S, f"hints are lost for good: {ms(hinted_s)}")
    answered, refused = (len(list(of(entries, k))) for k in ("answered", "refused"))
    return (
        f"all connections killed {size.kills} times, {size.pauses} pauses of "
        f"{size.pause_s:g} s, {size.cuts} replies lost to each of {len(SCRIPTS)} "
        f"scripts: {answered} calls answered, {refused} turned away with 503, none ran "
        f"twice, each entry is in the log once; hints work as before (p50 "
        f"{ms(hinted_s)})"
    )


@asynccontextmanager
async def _busy(served: Cluster, size: Size) -> AsyncIterator[Watchers]:
    """Keep the processes busy, with notes that are watched."""
    notes = ("note://killed", "note://paused")
    async with (
        watching(served, WATCHERS, *notes) as watchers,
        load(served, size.callers),
        arrivals(served, ARRIVALS_APART_S),
    ):
        yield watchers


async def _hear_once(watchers: Watchers, note: str) -> None:
    """Have a note change, of which every watcher hears once."""
    await watchers.touch(note)
    await watchers.all_hear(note)
    await watchers.echo()
    heard = [counted[note] for counted in watchers.heard.values()]
    require(heard == [1] * WATCHERS, f"of {note} was heard so often: {heard}")


async def _kill_connections(served: Cluster, kills: int) -> None:
    for _ in range(kills):
        await asyncio.sleep(KILLS_APART_S)
        with served.ask() as redis:
            for kind in ("normal", "pubsub"):
                redis.execute_command("CLIENT", "KILL", "TYPE", kind)


async def _pause(served: Cluster, size: Size) -> None:
    for _ in range(size.pauses):
        await asyncio.sleep(PAUSES_APART_S)
        served.redis.pause()
        await asyncio.sleep(size.pause_s)
        served.redis.resume()


async def _lose_replies(served: Cluster, proxy: Proxy, cuts: int) -> None:
    """Lose so many replies to each script."""
    victim = served.choose()
    sessions = [await Session.open(served) for _ in range(cuts)]
    async with asyncio.TaskGroup() as group:
        calls = [
            group.create_task(session.call(UNFINISHED, member=victim))
            for session in sessions
        ]
        await _begun(served, sessions)
        proxy.most = cuts
        await served.kill(victim)
        await served.restart(victim)
        ends_at = time.monotonic() + LOST_WITHIN_S
        while not proxy.is_done:
            require(time.monotonic() < ends_at, f"only {dict(proxy.cut)} were lost")
            await _use_all(served)
        proxy.most = 0
    ends = {call.result() for call in calls}
    require(ends == {"error"}, f"the calls of a dead process ended as {ends}")


async def _begun(served: Cluster, sessions: list[Session]) -> None:
    """Wait until each session has heard the first event of its call."""
    async with asyncio.timeout(BEGUN_WITHIN_S):
        while not _have_begun(served, sessions):  # noqa: ASYNC110 - of the server
            await asyncio.sleep(0.2)


def _have_begun(served: Cluster, sessions: list[Session]) -> bool:
    events = of(served.entries(), "event")
    heard = {entry["stream"].partition("/")[0] for entry in events}
    return heard >= {session.id for session in sessions}


async def _use_all(served: Cluster) -> None:
    """Do what the load does not: listen, subscribe, announce, cancel, look who is
    there, leave.
    """
    notes = [f"note://{time.monotonic()}-{number}" for number in range(NOTES)]
    async with watching(served, WATCHERS, *notes) as watchers:
        for note in notes:
            await _hear_once(watchers, note)
        for _ in range(WATCHERS):
            session = await Session.open(served)
            await session.tell("notifications/cancelled", {"requestId": "none"})
            await session.ask("tools/call", {"name": "who", "arguments": {}})
            await session.status("DELETE")
