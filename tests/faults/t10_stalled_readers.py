"""T10: clients ask for much, over HTTP and by WebSocket, and read nothing of it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.servers import Served
from tests.faults.attackers import Attacker, address
from tests.faults.exposed import exposed
from tests.faults.honest import probing
from tests.faults.usage import MB, Usage, forget_peak, mb, peak_bytes
from tests.faults.verdict import require

PIECES_IN_A_MB = 16
CLOSED_WITHIN_S = 60
MOST_BYTES = 100 * MB
EACH_ADDRESS = 5
LOOK_EVERY_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Size:
    """``streams`` and as many ``sockets`` are offered ``offered_mb`` each. Who is
    cut off comes again, until ``seconds`` have passed.
    """

    streams: int
    sockets: int
    offered_mb: int
    seconds: float
    probe_p99_s: float


SMALL = Size(streams=6, sockets=6, offered_mb=40, seconds=0, probe_p99_s=3)
FULL = Size(streams=50, sockets=50, offered_mb=200, seconds=300, probe_p99_s=1)


async def run(size: Size, directory: Path) -> str:
    with exposed(directory / "stalled") as served:
        async with probing(served.port) as probe:
            before = await Usage.of(served)
            forget_peak(served.pid)
            lives_s = await _attack(served, size)
            grown = peak_bytes(served.pid) - before.rss_bytes
    longest_s = max(lives_s)
    require(grown <= MOST_BYTES, f"the server grew by {mb(grown)}")
    require(longest_s <= CLOSED_WITHIN_S, f"one was cut off after {longest_s:.0f} s")
    probe.require_served(size.probe_p99_s)
    return (
        f"{size.streams} streams and {size.sockets} WebSockets, offered "
        f"{size.offered_mb} MB each and read by nobody: {len(lives_s)} were cut off, "
        f"after {min(lives_s):.0f} to {longest_s:.0f} s; memory at most {mb(grown)}; "
        f"{probe}"
    )


async def _attack(served: Served, size: Size) -> list[float]:
    """Return how long each connection was left open."""
    ends_at = time.monotonic() + size.seconds
    count = size.streams + size.sockets
    async with asyncio.TaskGroup() as group:
        stalling = [
            group.create_task(_stall(served, size, number, ends_at))
            for number in range(count)
        ]
    return [life_s for task in stalling for life_s in task.result()]


async def _stall(
    served: Served, size: Size, number: int, ends_at: float
) -> list[float]:
    source = address(number, EACH_ADDRESS)
    lives_s = [await _life_s(served, size, number, source)]
    while time.monotonic() < ends_at:
        lives_s.append(await _life_s(served, size, number, source))
    return lives_s


async def _life_s(served: Served, size: Size, number: int, source: str) -> float:
    """Ask for a flood, and wait to be cut off; return how long that took.

    Raises Failed when nothing happens for twice as long as it may take.
    """
    attacker = Attacker(source, reads=False)
    flood = {"pieces": PIECES_IN_A_MB * size.offered_mb}
    try:
        await attacker.connect(served.port)
        if number < size.streams:
            await attacker.call(served.port, "flood", flood)
            await attacker.hear(b"HTTP/1.1 200 ", most=16)
        else:
            await attacker.upgrade(served.port)
            await attacker.call_by_text("flood", flood)
            await attacker.hear(b"notifications/message", most=128)
        began = time.monotonic()
        while not attacker.is_cut:
            await asyncio.sleep(LOOK_EVERY_S)
            open_s = time.monotonic() - began
            require(open_s < 2 * CLOSED_WITHIN_S, f"one is open after {open_s:.0f} s")
    finally:
        attacker.vanish()
    return time.monotonic() - began
