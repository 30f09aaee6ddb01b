"""T11: clients vanish from the network, and no packet says so."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from deploy.servers import Served
from tests.faults.attackers import Attacker
from tests.faults.exposed import exposed
from tests.faults.honest import probing
from tests.faults.isolation import ip, isolated
from tests.faults.usage import MB, Usage, mb, open_fds
from tests.faults.verdict import require

GONE_WITHIN_S = 60
MOST_BYTES = 50 * MB
# Of the honest client, whose connections come and go.
FEW_FDS = 5
SOURCE = "127.0.0.2"
# An address may have so many connections whose request is not complete.
AT_ONCE = 10
LOOK_EVERY_S = 0.5


@dataclass(frozen=True, kw_only=True)
class Size:
    streams: int
    sockets: int
    probe_p99_s: float


SMALL = Size(streams=20, sockets=10, probe_p99_s=3)
FULL = Size(streams=200, sockets=100, probe_p99_s=1)


async def run(size: Size, directory: Path) -> str:
    return await isolated(__name__, size, directory)


async def attack(size: Size, directory: Path) -> str:
    """Do it in a network of our own, whose routes we may change."""
    with exposed(directory / "half-open") as served, ExitStack() as stack:
        async with probing(served.port) as probe:
            await _come_and_go(served)
            before = await Usage.of(served)
            async with asyncio.TaskGroup() as group:
                few = asyncio.Semaphore(AT_ONCE)
                for number in range(size.streams + size.sockets):
                    attacker = Attacker(SOURCE)
                    stack.callback(attacker.vanish)
                    is_stream = number < size.streams
                    group.create_task(_join(served, attacker, is_stream, few))
            during = await Usage.of(served)
            ip("route", "add", "blackhole", f"{SOURCE}/32", "table", "local")
            gone_s = await _gone_s(served, before)
            after = await Usage.of(served)
        probe.require_served(size.probe_p99_s)
    require(
        during.fds - before.fds >= size.streams + size.sockets,
        f"only {during.fds - before.fds} were open",
    )
    after.require_back_at(before)
    kept = after.rss_bytes - before.rss_bytes
    require(kept <= MOST_BYTES, f"{mb(kept)} of memory were kept")
    return (
        f"{size.streams} streams and {size.sockets} WebSockets vanished without a "
        f"word: all were gone after {gone_s:.0f} s; with them "
        f"{during.more_than(before)}, then {after.more_than(before)}; {probe}"
    )


async def _come_and_go(served: Served) -> None:
    """Let the server load what it needs for each door."""
    for is_stream in (True, False):
        attacker = Attacker(SOURCE)
        await _join(served, attacker, is_stream, asyncio.Semaphore())
        attacker.vanish()


async def _join(
    served: Served, attacker: Attacker, is_stream: bool, few: asyncio.Semaphore
) -> None:
    """Open a stream, or a WebSocket; it stays. Raises Lost, and TimeoutError."""
    async with few:
        await attacker.connect(served.port)
        if is_stream:
            await attacker.listen(served.port)
        else:
            await attacker.upgrade(served.port)
            await attacker.listen_by_text()


async def _gone_s(served: Served, before: Usage) -> float:
    """Wait until the server has let go of all; return how long that took.

    Raises Failed when it keeps some for longer than it may.
    """
    began = time.monotonic()
    while (kept := open_fds(served.pid) - before.fds) > FEW_FDS:
        await asyncio.sleep(LOOK_EVERY_S)
        waited_s = time.monotonic() - began
        require(waited_s <= GONE_WITHIN_S, f"{kept} are held after {waited_s:.0f} s")
    return time.monotonic() - began
