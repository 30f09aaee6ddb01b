"""T12: many clients send their requests byte by byte, or read the reply like that."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.servers import Served
from tests.faults.attackers import Attacker, address, head, posted
from tests.faults.connection import Lost
from tests.faults.exposed import behind_nginx, exposed
from tests.faults.honest import probing
from tests.faults.requests import HEADERS, stateless
from tests.faults.usage import forget_peak, mb, open_fds, peak_bytes
from tests.faults.verdict import Failed, require

DRIP_S = 1
READ_BYTES = 5
BODY_BYTES = 65_536
REPLY_BYTES = 100_000
CUT, OPEN = "cut", "open until the end"
EACH_ADDRESS = 10
# How many of each mode arrive in a second, until all are there.
ARRIVALS_A_S = 100
# Until those who found no place try again.
AGAIN_S = 1
# How long a connection may last, mode by mode. Who does not read was served: what
# ends it is that a reply is not taken for 30 s.
OURS_S = {"headers": 15, "body": 15, "reply": 45}
# nginx bounds the time between two bytes of a body and not that of the whole; what
# it keeps to itself costs nobody else anything.
NGINXS_S = {"headers": 15, "reply": 45}
# Of connections that nginx keeps for its own use, and of the honest client.
FEW_FDS = 80


@dataclass(frozen=True, kw_only=True)
class Size:
    """In each mode there are so many ``clients`` at all times, for ``seconds``."""

    clients: int
    seconds: float
    probe_p99_s: float


SMALL = Size(clients=40, seconds=11, probe_p99_s=3)
FULL = Size(clients=1000, seconds=120, probe_p99_s=1)


@dataclass(slots=True)
class Ends:
    """How long the connections lasted, and how they ended: by a status, by being cut
    without one, or by us.
    """

    lives_s: defaultdict[str, list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )
    hows: defaultdict[str, Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )

    def note(self, mode: str, life_s: float, how: str) -> None:
        self.lives_s[mode].append(life_s)
        self.hows[mode][how] += 1

    def __str__(self) -> str:
        return "; ".join(
            f"slow {mode} ended within {max(lives_s):.0f} s "
            f"({', '.join(f'{n} {how}' for how, n in self.hows[mode].items())})"
            for mode, lives_s in self.lives_s.items()
        )


async def run(size: Size, directory: Path) -> str:
    with exposed(directory / "alone") as served:
        alone = await _attacked(served, served, size, OURS_S)
    with behind_nginx(directory / "behind") as (nginx, daphne):
        behind = await _attacked(nginx, daphne, size, NGINXS_S)
    return (
        f"{size.clients} clients each slow at {', '.join(OURS_S)} for "
        f"{size.seconds:g} s; alone: {alone}; stock daphne behind nginx: {behind}"
    )


async def _attacked(
    front: Served, back: Served, size: Size, bounds_s: Mapping[str, float]
) -> str:
    """Attack ``front``; ``back`` is the process that runs the application."""
    ends, ends_at = Ends(), time.monotonic() + size.seconds
    async with probing(front.port) as probe:
        await probe.call(front.port)
        forget_peak(back.pid)
        memory, fds = peak_bytes(back.pid), open_fds(back.pid)
        async with asyncio.TaskGroup() as group:
            for mode in OURS_S:
                for number in range(size.clients):
                    slow = Slow(front.port, mode, bounds_s.get(mode), ends_at, ends)
                    group.create_task(slow.attack(number))
            await asyncio.sleep(size.seconds - 1)
            most_fds = open_fds(back.pid) - fds
    if back is not front:
        asking = size.clients + FEW_FDS
        require(most_fds <= asking, f"{most_fds} slow requests came through nginx")
    probe.require_served(size.probe_p99_s)
    return f"{ends}; memory at most {mb(peak_bytes(back.pid) - memory)}; {probe}"


@dataclass(frozen=True, slots=True)
class Slow:
    """A client that comes again whenever it was cut off, until ``ends_at``."""

    port: int
    mode: str
    bound_s: float | None
    ends_at: float
    ends: Ends

    async def attack(self, number: int) -> None:
        """Raises Failed for a connection that lasts longer than it may."""
        source = address(number, EACH_ADDRESS)
        await asyncio.sleep(number / ARRIVALS_A_S)
        while time.monotonic() < self.ends_at:
            attacker = Attacker(source, reads=self.mode != "reply")
            began = time.monotonic()
            try:
                how = await self._last(attacker)
            except Lost:
                how = CUT
            finally:
                attacker.vanish()
            self.ends.note(self.mode, time.monotonic() - began, how)
            await asyncio.sleep(AGAIN_S)

    async def _last(self, attacker: Attacker) -> str:
        """Be slow; return how it ended. Raises Lost, which is an end as well."""
        opening, drip = self._request()
        await attacker.connect(self.port)
        await attacker.send(opening)
        began = time.monotonic()
        while not attacker.is_cut:
            await asyncio.sleep(DRIP_S)
            if drip:
                await attacker.send(drip)
            else:
                await attacker.receive(READ_BYTES)
            if self.bound_s is None:
                if time.monotonic() > self.ends_at:
                    return OPEN
            elif time.monotonic() - began > self.bound_s:
                raise Failed(f"a slow {self.mode} is open after {self.bound_s:g} s")
        if drip:
            await attacker.receive()
        return attacker.heard[9:12].decode() if drip and attacker.heard else CUT

    def _request(self) -> tuple[bytes, bytes]:
        """Return what is sent at once, and what piece by piece."""
        start = "POST /mcp HTTP/1.1"
        if self.mode == "headers":
            return head(self.port, start, HEADERS)[:-2], b"X-Slow: 1\r\n"
        if self.mode == "body":
            sized = {**HEADERS, "Content-Length": str(BODY_BYTES)}
            return head(self.port, start, sized), b" "
        call = stateless("text", "slow", {"length": REPLY_BYTES})
        return posted(self.port, *call), b""
