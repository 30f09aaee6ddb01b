"""T5: one of three processes is killed, again and again, while all have calls."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.faults.cluster import cluster
from tests.faults.invariants import (
    none_refused,
    of,
    one_reply,
    ran_once,
    spared,
    unbroken,
)
from tests.faults.load import load
from tests.faults.verdict import demand, require

# From when its connection broke until a call of the dead process is answered.
LATEST_S = 30
DOWN_S = 0.5


@dataclass(frozen=True, kw_only=True)
class Size:
    """Kills are ``apart_s`` apart; a process that was silent for ``silent_s`` is
    dead, or for as long as it usually takes.
    """

    callers: int
    kills: int
    apart_s: float
    silent_s: float | None


SMALL = Size(callers=32, kills=3, apart_s=1.5, silent_s=4)
FULL = Size(callers=64, kills=20, apart_s=6, silent_s=None)


async def run(size: Size, directory: Path) -> str:
    environ = {"FAULTS_SILENT_S": str(size.silent_s)} if size.silent_s else {}
    async with cluster(directory / "killed", 3, environ=environ) as served:
        async with load(served, size.callers):
            for _ in range(size.kills):
                await asyncio.sleep(size.apart_s)
                victim = served.choose()
                await served.kill(victim)
                await asyncio.sleep(DOWN_S)
                await served.restart(victim)
        entries = served.entries()
    demand(entries, one_reply, ran_once, unbroken, spared, none_refused)
    ends = Counter(entry["how"] for entry in of(entries, "answered"))
    # What was sent again is answered with an error at once.
    died = [e["late_s"] for e in of(entries, "answered") if e["how"] == "error"]
    late_s = max(died, default=0)
    require(late_s > 0, "no call was under way on a stream when its process died")
    require(late_s <= LATEST_S, f"a dead call was answered after {late_s:.1f} s")
    return (
        f"{size.kills} kills under {size.callers} callers: {ends['result']} results, "
        f"{len(list(of(entries, 'broken')))} connections broke with their process, "
        f"{sum(late > 0 for late in died)} dead calls were answered within "
        f"{late_s:.1f} s, no other call failed, none ran twice"
    )
