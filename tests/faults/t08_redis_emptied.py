"""T8: Redis comes back without anything that it knew."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.cluster import Cluster, cluster
from tests.faults.invariants import of, one_reply, ran_once, unbroken
from tests.faults.session import Session
from tests.faults.stream import Gone
from tests.faults.verdict import demand, require

# A call that is under way when its session is lost, on a stream that has begun.
WORK = {"says": 60, "pause_s": 0.05}
BEGUN_S = 1.0
TOLD_WITHIN_S = 30
# A place on the standing stream, as a session could have been told of one.
PLACE = "0.0123abcd.1"


@dataclass(frozen=True, kw_only=True)
class Size:
    """``down_s`` is how long Redis stays away, loss by loss. ``sessions`` have a call
    under way, and as many others listen.
    """

    down_s: Sequence[float]
    sessions: int


SMALL = Size(down_s=(1.5,), sessions=6)
FULL = Size(down_s=(0, 2, 10), sessions=50)


async def run(size: Size, directory: Path) -> str:
    async with cluster(directory / "emptied", 3) as served:
        told_s = [await _loss(served, size.sessions, down) for down in size.down_s]
        entries = served.entries()
        require(not served.crashed(), f"crashed: {served.crashed()}")
    demand(entries, one_reply, ran_once, unbroken)
    lost = len(list(of(entries, "gone")))
    calls = len(size.down_s) * size.sessions
    require(lost == calls, f"{lost} of {calls} calls were told that they are lost")
    return (
        f"{len(size.down_s)} restarts empty, Redis down for "
        f"{', '.join(f'{s:g}' for s in size.down_s)} s: {2 * calls} sessions, half of "
        f"them with a call under way, were told 404, on open streams within "
        f"{max(told_s):.1f} s; no gap, no process failed, new sessions worked at once"
    )


async def _loss(served: Cluster, count: int, down_s: float) -> float:
    """Empty Redis under sessions that call and others that listen; return how long
    it took until all were told.
    """
    calling = [await Session.open(served) for _ in range(count)]
    listening = [await Session.open(served) for _ in range(count)]
    calls = [asyncio.create_task(session.call(WORK)) for session in calling]
    listeners = [asyncio.create_task(_listen(session)) for session in listening]
    await asyncio.sleep(BEGUN_S)
    await asyncio.to_thread(served.redis.kill)
    shutil.rmtree(served.redis.directory / "appendonlydir")
    await asyncio.sleep(down_s)
    await asyncio.to_thread(served.redis.restart)
    back_at = time.monotonic()
    async with asyncio.timeout(TOLD_WITHIN_S):
        ends = set(await asyncio.gather(*calls, *listeners))
    told_s = time.monotonic() - back_at
    require(ends == {"gone"}, f"calls and listeners ended as {ends}")
    for session in (*calling, *listening):
        statuses = [
            await session.status("POST", '{"jsonrpc":"2.0","id":1,"method":"ping"}'),
            await session.status("GET"),
            await session.status("GET", last=PLACE),
            await session.status("DELETE"),
        ]
        require(set(statuses) == {404}, f"a lost session had {statuses}")
    new = await Session.open(served)
    require(await new.call({"says": 1}) == "result", "a new session did not work")
    return told_s


async def _listen(session: Session) -> str:
    """Listen until the stream is gone."""
    try:
        async for message in session.standing():
            require(False, f"a standing stream said {message}")
    except Gone:
        return "gone"
    return "ended"
