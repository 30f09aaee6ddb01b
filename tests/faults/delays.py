"""How long an event takes from a tool in one process to a reader in another."""

from __future__ import annotations

import asyncio
import time

from tests.faults.cluster import Cluster
from tests.faults.invariants import of
from tests.faults.journal import entries
from tests.faults.session import Session

PAUSE_S = 0.13
# The first events wait for their reader to come back.
UNTIMED_S = 1.5


async def delays_s(served: Cluster, streams: int, events: int) -> list[float]:
    """Have tools say so many events; return how late they were heard, in seconds.

    Each stream is cut once, at its start, and then read in another process. Only
    what is said UNTIMED_S after the start counts.
    """
    noted = len(entries(served.journal.path))
    sessions = [await Session.open(served) for _ in range(streams)]
    began = time.monotonic()
    said = {"says": events, "pause_s": PAUSE_S}
    await asyncio.gather(*(session.call(said, cuts=[0]) for session in sessions))
    return [
        entry["at"] - entry["said_at"]
        for entry in of(entries(served.journal.path)[noted:], "event")
        if entry["said"] is not None and entry["said_at"] > began + UNTIMED_S
    ]
