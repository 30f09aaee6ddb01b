"""T3: processes behind nginx are restarted in turn, and nobody is to notice."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from websockets.exceptions import ConnectionClosed

from deploy.servers import HOST, Served
from tests.faults.cluster import Cluster, cluster
from tests.faults.connection import Connection, Lost
from tests.faults.invariants import (
    none_refused,
    of,
    one_reply,
    ran_once,
    stayed_open,
    unbroken,
)
from tests.faults.load import load
from tests.faults.session import Session
from tests.faults.verdict import demand, ms, percentile, require
from tests.faults.watchers import echo
from tests.serving import mcp_serves, nginx
from tests.websocket.client import opened

PROCESSES = 3
GRACE_S = 20
BACK_WITHIN_S = 5
# The server goes away, or starts anew. RFC 6455 section 7.4.1 and its registry.
GOOD_BYES = (1001, 1012)
AGAIN_AFTER_S = 0.05
# A stream that another connection still holds, or a process that is just ending.
NOT_NOW = (409, 502, 503)
OPEN_WITHIN_S = 60


@dataclass(frozen=True, kw_only=True)
class Size:
    """``streams`` standing streams and as many ``sockets``; a restart each
    ``apart_s``. Its port is to refuse within ``refused_s``.
    """

    callers: int
    streams: int
    sockets: int
    restarts: int
    apart_s: float
    refused_s: float


SMALL = Size(callers=16, streams=10, sockets=10, restarts=2, apart_s=1, refused_s=1)
FULL = Size(callers=64, streams=100, sockets=100, restarts=10, apart_s=3, refused_s=0.1)


@dataclass(slots=True)
class Kept:
    """What became of the connections that stay. A kind of them is "streams"."""

    open: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    back_s: list[float] = field(default_factory=list)

    def opened(self, kind: str, ended_at: float | None) -> None:
        self.open[kind] += 1
        if ended_at is not None:
            self.back_s.append(time.monotonic() - ended_at)

    def lost(self, kind: str) -> float:
        """Return when that was."""
        self.open[kind] -= 1
        self.ended[kind] += 1
        return time.monotonic()

    async def all_open(self, size: Size) -> None:
        """Wait until all are open (again). Raises TimeoutError."""
        wanted = {"streams": size.streams, "sockets": size.sockets}
        async with asyncio.timeout(OPEN_WITHIN_S):
            while +self.open != wanted:  # noqa: ASYNC110 - of the server
                await asyncio.sleep(0.02)


async def run(size: Size, directory: Path) -> str:
    kept, refused_s, took_s = Kept(), [], []
    async with cluster(directory / "restarts", PROCESSES, serves=mcp_serves) as served:
        with nginx(served.members, served.directory) as front:
            served.ready = [front]
            async with load(served, size.callers), _holding(served, front, size, kept):
                for number in range(size.restarts):
                    await asyncio.sleep(size.apart_s)
                    victim = served.members[number % PROCESSES]
                    refused, took = await _restart(victim)
                    refused_s.append(refused)
                    took_s.append(took)
                    await kept.all_open(size)
        entries, crashed = served.entries(), served.crashed()
    demand(entries, one_reply, ran_once, unbroken, none_refused, stayed_open)
    ends = Counter(entry["how"] for entry in of(entries, "answered"))
    require(set(ends) == {"result"}, f"calls ended as {dict(ends)}")
    require(not kept.wrong, "; ".join(kept.wrong[:5]))
    require(not crashed, "; ".join(crashed[:5]))
    for kind in ("streams", "sockets"):
        require(kept.ended[kind] > 0, f"no {kind} were open where a process ended")
    latest_s = max(kept.back_s)
    require(latest_s <= BACK_WITHIN_S, f"somebody was back after {latest_s:.1f} s")
    require(
        max(refused_s) <= size.refused_s, f"refused after {ms(max(refused_s))} only"
    )
    return (
        f"{size.restarts} restarts under {size.callers} callers: {ends['result']} "
        f"calls, none failed; a process refused connections after at most "
        f"{ms(max(refused_s))} and ended within {max(took_s):.1f} s; "
        f"{kept.ended['streams']} streams ended with retry:, "
        f"{kept.ended['sockets']} WebSockets with {GOOD_BYES[0]}, and were back "
        f"within {ms(percentile(kept.back_s, 50))}, the last of them {ms(latest_s)}"
    )


async def _restart(victim: Served) -> tuple[float, float]:
    """Tell a process to end, and start it again when it has. Return after what time
    it refused connections, and when it had ended.
    """
    began = time.monotonic()
    victim.process.terminate()
    refused_s = await asyncio.to_thread(_refuses_after, victim.port, began)
    status = await asyncio.to_thread(victim.process.wait, GRACE_S + 10)
    took_s = time.monotonic() - began
    require(status == 0, f"{victim} ended with status {status}")
    require(took_s <= GRACE_S, f"{victim} ended after {took_s:.1f} s")
    await asyncio.to_thread(victim.launch)
    await asyncio.to_thread(victim.await_service)
    return refused_s, took_s


def _refuses_after(port: int, began: float) -> float:
    """Return how long after ``began`` a port refuses; it does, or the wait is over."""
    while time.monotonic() - began < GRACE_S:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except ConnectionError:
            break
        time.sleep(0.002)
    return time.monotonic() - began


@asynccontextmanager
async def _holding(
    served: Cluster, front: Served, size: Size, kept: Kept
) -> AsyncIterator[None]:
    """Hold streams and sockets open, as far as the server does."""
    sessions = [await Session.open(served) for _ in range(size.streams)]
    async with asyncio.TaskGroup() as group:
        holding = [
            *(group.create_task(_stream(front, one, kept)) for one in sessions),
            *(group.create_task(_socket(front, kept)) for _ in range(size.sockets)),
        ]
        try:
            await kept.all_open(size)
            yield
        finally:
            for task in holding:
                task.cancel()


async def _stream(front: Served, session: Session, kept: Kept) -> None:
    """Hold the standing stream of a session, for good."""
    ended_at: float | None = None
    while True:
        connection = Connection()
        await connection.ask(front.port, "GET", session.headers)
        if connection.status != 200:
            connection.abort()
            if connection.status not in NOT_NOW:
                kept.wrong.append(f"a stream was refused: {connection.status}")
            await asyncio.sleep(AGAIN_AFTER_S)
            continue
        kept.opened("streams", ended_at)
        last = b""
        try:
            async for piece in connection.pieces():
                last = piece
        except Lost as error:
            kept.wrong.append(f"a stream broke off: {error}")
        finally:
            connection.abort()
        ended_at = kept.lost("streams")
        if b"retry:" not in last:
            kept.wrong.append(f"a stream ended with {last!r}")


async def _socket(front: Served, kept: Kept) -> None:
    """Hold a WebSocket, for good; each new one answers a call."""
    ended_at: float | None = None
    while True:
        async with opened(front) as socket:
            await echo(socket)
            kept.opened("sockets", ended_at)
            try:
                await socket.recv()
            except ConnectionClosed as closed:
                ended_at = kept.lost("sockets")
                code = closed.rcvd.code if closed.rcvd is not None else 1006
                if code not in GOOD_BYES:
                    kept.wrong.append(f"a WebSocket ended with {code}")
