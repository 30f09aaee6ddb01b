"""T30: plain tools hold every thread, and nobody else notices."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from tests.faults import stateless
from tests.faults.cluster import Cluster, cluster
from tests.faults.verdict import ms, percentile, require
from tests.faults.watchers import echo
from tests.websocket.client import opened

PROBES_APART_S = 0.1


@dataclass(frozen=True, kw_only=True)
class Size:
    """``tools`` calls hold a thread for ``seconds`` each, in one process. A probe
    may take ``probe_p99_s``, an echo by WebSocket ``echo_p99_s``.
    """

    tools: int
    seconds: float
    probe_p99_s: float
    echo_p99_s: float


SMALL = Size(tools=24, seconds=2, probe_p99_s=2, echo_p99_s=2)
FULL = Size(tools=50, seconds=10, probe_p99_s=1, echo_p99_s=0.2)


async def run(size: Size, directory: Path) -> str:
    async with cluster(directory / "busy", 1) as served:
        busy = asyncio.gather(*(_hold(served, size) for _ in range(size.tools)))
        probes, echoes = await asyncio.gather(
            _every(busy, lambda: _probe(served)), _echoes(served, busy)
        )
        await busy
        require(not served.crashed(), f"crashed: {served.crashed()}")
    probe_s, echo_s = percentile(probes, 99), percentile(echoes, 99)
    require(probe_s <= size.probe_p99_s, f"probes took {ms(probe_s)} at p99")
    require(echo_s <= size.echo_p99_s, f"echoes took {ms(echo_s)} at p99")
    return (
        f"{size.tools} plain tools held threads for {size.seconds:g} s each: "
        f"{len(probes)} calls of an async tool without an error, p50 "
        f"{ms(percentile(probes, 50))}, p99 {ms(probe_s)}; {len(echoes)} echoes by "
        f"WebSocket, p50 {ms(percentile(echoes, 50))}, p99 {ms(echo_s)}"
    )


async def _hold(served: Cluster, size: Size) -> None:
    # Who finds no free thread in time is told so: that is not what is asked here.
    await stateless.use(served.choose(), "sleep", {"seconds": size.seconds})


async def _probe(served: Cluster) -> None:
    result = await stateless.use(served.choose(), "echo", {"text": "probe"})
    require(not result.get("isError"), f"a probe failed: {result}")


async def _echoes(served: Cluster, busy: asyncio.Future[list[None]]) -> list[float]:
    async with opened(served.choose()) as socket:
        return await _every(busy, lambda: echo(socket))


async def _every(
    busy: asyncio.Future[list[None]], ask: Callable[[], Awaitable[None]]
) -> list[float]:
    """Ask again and again while others are busy; return how long each took."""
    took_s = []
    while not busy.done():
        began = time.monotonic()
        await ask()
        took_s.append(time.monotonic() - began)
        await asyncio.sleep(PROBES_APART_S)
    return took_s
