"""T6: a process dies at one point of a call, and the client sends the call again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.servers import Served
from tests.faults.cluster import Cluster, cluster
from tests.faults.invariants import (
    none_refused,
    of,
    one_reply,
    ran_once,
    spared,
    unbroken,
)
from tests.faults.journal import Entry
from tests.faults.served.failpoints import POINTS
from tests.faults.session import Session
from tests.faults.streamlog import answers_per_request
from tests.faults.verdict import demand, require

DIES_WITHIN_S = 30
# The stream has begun, at its first message, well before the process dies.
WORK = {"says": 1, "pause_s": 0.3}
# How the call ends for who comes back for it, and how often it has run.
EXPECTED = {
    "claim": ("broken", 0),
    "effect": ("error", 1),
    "append": ("result", 1),
    "send": ("result", 1),
}


@dataclass(frozen=True, kw_only=True)
class Size:
    """``silent_s`` as in T5."""

    deaths_per_point: int
    silent_s: float | None


SMALL = Size(deaths_per_point=2, silent_s=4)
FULL = Size(deaths_per_point=50, silent_s=None)


async def run(size: Size, directory: Path) -> str:
    environ = {"FAULTS_SILENT_S": str(size.silent_s)} if size.silent_s else {}
    ids = iter(
        [f"{point}.{n}" for n in range(size.deaths_per_point) for point in POINTS]
    )
    async with cluster(directory / "failpoints", 3, environ=environ) as served:
        # One process lives, and sees the others die.
        survivor, *victims = served.members
        served.ready = [survivor]
        async with asyncio.TaskGroup() as group:
            for victim in victims:
                group.create_task(_deaths(served, victim, ids, group))
        entries = served.entries()
        demand(entries, one_reply, ran_once, unbroken, spared, none_refused)
        _require_runs(entries)
        with served.ask() as redis:
            several = {r: n for r, n in answers_per_request(redis).items() if n != 1}
    require(not several, f"responses in the log: {several}")
    deaths = size.deaths_per_point
    return (
        f"{deaths} deaths behind each of {', '.join(POINTS)}: each call ran at most "
        f"once and has one answer, and sent again was refused by another process"
    )


async def _deaths(
    served: Cluster, victim: Served, ids: Iterator[str], group: asyncio.TaskGroup
) -> None:
    """Let a process die of each call that is left, and start it again."""
    for id in ids:
        session = await Session.open(served)
        first = group.create_task(session.call(WORK, id=id, member=victim))
        await asyncio.to_thread(victim.process.wait, DIES_WITHIN_S)
        served.journal.write("killed", pid=victim.pid)
        group.create_task(_again(served, session, id, first))
        await asyncio.to_thread(victim.restart)


async def _again(
    served: Cluster, session: Session, id: str, first: asyncio.Task[str]
) -> None:
    """Send the call again while the first attempt waits for its answer."""
    again = await session.call(WORK, id=id)
    require(again == "error", f"{id}, sent again, ended as {again}")
    ended, expected = await first, EXPECTED[_point(id)][0]
    require(ended == expected, f"{id} ended as {ended}, and not as {expected}")


def _require_runs(entries: Sequence[Entry]) -> None:
    ran = Counter(entry["call"] for entry in of(entries, "ran"))
    for call in {entry["call"] for entry in of(entries, "sent")}:
        expected = EXPECTED[_point(call.rpartition("/")[2])][1]
        require(ran[call] == expected, f"{call} ran {ran[call]} times")


def _point(id: str) -> str:
    return id.partition(".")[0]
