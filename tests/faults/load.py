"""Callers who call one thing after the other and persist, and others who arrive."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager

from tests.faults import stateless
from tests.faults.cluster import Cluster
from tests.faults.session import Session

# Calls that are answered at once, after a while, and by a stream.
WORK: Sequence[Mapping[str, float]] = (
    {},
    {"pause_s": 0.2},
    {"says": 3, "pause_s": 0.25},
)
# How many sessions those who arrive share.
ARRIVING = 10
# How a call ended that may be sent again.
AGAIN = ("broken", "refused")
# Until somebody who was turned away tries again.
TURNED_AWAY_S = 0.2


@asynccontextmanager
async def load(cluster: Cluster, callers: int) -> AsyncIterator[None]:
    """Let so many callers call, every other one in a session. Leaving waits until
    each has ended its last call; an error of any of them is raised.
    """
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for number in range(callers):
            caller = _in_session if number % 2 else _alone
            group.create_task(caller(cluster, over, number // 2))
        try:
            yield
        finally:
            over.set()


@asynccontextmanager
async def arrivals(cluster: Cluster, apart_s: float) -> AsyncIterator[None]:
    """Let a call arrive every ``apart_s``, however many before it still wait: all
    callers of a load may wait at once, and then nobody would ask for anything.
    """
    sessions = [await Session.open(cluster) for _ in range(ARRIVING)]
    async with asyncio.TaskGroup() as group:
        arriving = group.create_task(_arrive(group, sessions, apart_s))
        try:
            yield
        finally:
            arriving.cancel()


async def _arrive(
    group: asyncio.TaskGroup, sessions: Sequence[Session], apart_s: float
) -> None:
    for session in itertools.cycle(sessions):
        group.create_task(session.call({}))
        await asyncio.sleep(apart_s)


async def _in_session(cluster: Cluster, over: asyncio.Event, first: int) -> None:
    """Send a call again, as it was, if nobody has answered it."""
    session = await Session.open(cluster)
    for number, work in enumerate(_endless(first)):
        if over.is_set():
            return
        id = f"load.{number}"
        while await session.call(work, id=id) in AGAIN:  # noqa: ASYNC110 - a client
            await asyncio.sleep(TURNED_AWAY_S)


async def _alone(cluster: Cluster, over: asyncio.Event, first: int) -> None:
    for work in _endless(first):
        if over.is_set():
            return
        if await stateless.call(cluster, work) != "result":
            await asyncio.sleep(TURNED_AWAY_S)


def _endless(first: int) -> Iterator[Mapping[str, float]]:
    """Yield work of every kind in turn, from another one for each caller."""
    return itertools.islice(itertools.cycle(WORK), first % len(WORK), None)
