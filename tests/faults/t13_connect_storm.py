"""T13: everybody comes at once, as after a restart."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from deploy.servers import Served
from tests.faults.attackers import Attacker, address
from tests.faults.exposed import exposed
from tests.faults.isolation import isolated
from tests.faults.usage import Usage, listen_overflows
from tests.faults.verdict import percentile, require

SERVED_WITHIN_S = 15
EACH_ADDRESS = 10
GIVEN_BACK_WITHIN_S = 30


@dataclass(frozen=True, kw_only=True)
class Size:
    """So many ``streams`` and ``sockets``, spread over ``within_s``."""

    streams: int
    sockets: int
    within_s: float


SMALL = Size(streams=150, sockets=50, within_s=0.2)
FULL = Size(streams=1500, sockets=500, within_s=2)


async def run(size: Size, directory: Path) -> str:
    return await isolated(__name__, size, directory)


async def attack(size: Size, directory: Path) -> str:
    """Do it in a network of our own, whose counters nobody else moves."""
    with exposed(directory / "storm") as served, ExitStack() as stack:
        await _come(served, stack, size, 0)
        stack.close()
        before, dropped = await Usage.of(served), listen_overflows()
        async with asyncio.TaskGroup() as group:
            coming = [
                group.create_task(_come(served, stack, size, number))
                for number in range(size.streams + size.sockets)
            ]
        during = await Usage.of(served)
        require(
            during.fds - before.fds >= len(coming),
            f"only {during.fds - before.fds} of {len(coming)} are still open",
        )
        stack.close()
        after = await _settled(served, before)
        dropped = listen_overflows() - dropped
    took_s = [task.result() for task in coming]
    after.require_back_at(before)
    require(dropped == 0, f"the listen queue dropped {dropped} connections")
    require(
        max(took_s) <= SERVED_WITHIN_S, f"somebody was served after {max(took_s):.1f} s"
    )
    return (
        f"{size.streams} streams and {size.sockets} WebSockets within "
        f"{size.within_s:g} s: all were served, half within "
        f"{percentile(took_s, 50):.1f} s, the last after {max(took_s):.1f} s; none "
        f"was dropped by the listen queue; with them {during.more_than(before)}, then "
        f"{after.more_than(before)}"
    )


async def _come(served: Served, stack: ExitStack, size: Size, number: int) -> float:
    """Open a stream, or a WebSocket, in its turn; return how long it took until the
    server had answered. It stays open until ``stack`` is closed.
    """
    count = size.streams + size.sockets
    await asyncio.sleep(size.within_s * number / count)
    attacker = Attacker(address(number, EACH_ADDRESS))
    stack.callback(attacker.vanish)
    began = time.monotonic()
    await attacker.connect(served.port)
    if number * size.sockets % count < size.sockets:
        await attacker.upgrade(served.port)
        await attacker.listen_by_text()
    else:
        await attacker.listen(served.port)
    return time.monotonic() - began


async def _settled(served: Served, before: Usage) -> Usage:
    """Wait until the server has let go of those who have left."""
    async with asyncio.timeout(GIVEN_BACK_WITHIN_S):
        while True:
            after = await Usage.of(served)
            if after.fds <= before.fds and after.tasks <= before.tasks:
                return after
            await asyncio.sleep(0.2)
