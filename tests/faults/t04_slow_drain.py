"""T4: a process is told to end while clients and a tool hold it up."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.servers import Served
from tests.faults.attackers import Attacker, address, head
from tests.faults.connection import Lost
from tests.faults.exposed import APPLICATION, TRACEBACK, environment, make
from tests.faults.requests import stateless
from tests.faults.verdict import require
from tests.serving import mcp_serve

LATE_S = 2
EACH_ADDRESS = 5
STUCK_S = 600
UNREAD_PIECES = 1600  # of 64 KiB
# Until all that was sent has arrived.
SETTLE_S = 1


@dataclass(frozen=True, kw_only=True)
class Size:
    """So many of ``each``: half-sent requests, tools that hold their thread, and
    clients that read nothing of a stream.
    """

    each: int
    grace_s: int


SMALL = Size(each=3, grace_s=2)
FULL = Size(each=20, grace_s=20)


async def run(size: Size, directory: Path) -> str:
    make(directory / "drain")
    log = directory / "drain" / "served.log"
    environ, options = environment(log.parent), [f"--grace={size.grace_s}"]
    with mcp_serve(APPLICATION, log, environ=environ, options=options) as served:
        half = [_client(number) for number in range(size.each)]
        stuck = [_client(size.each + number) for number in range(size.each)]
        unread = [_client(2 * size.each + number) for number in range(size.each)]
        await asyncio.gather(*(_send_half(served, one) for one in half))
        await asyncio.gather(*(_get_stuck(served, one) for one in stuck))
        await asyncio.gather(*(_leave_unread(served, one) for one in unread))
        await asyncio.sleep(SETTLE_S)
        answered = [asyncio.create_task(_hear(one)) for one in stuck]
        began = time.monotonic()
        served.process.terminate()
        status = await asyncio.to_thread(served.process.wait, size.grace_s + 30)
        took_s = time.monotonic() - began
        told = sum(await asyncio.gather(*answered))
        for one in (*half, *stuck, *unread):
            one.vanish()
    require(status == 0, f"it ended with status {status}")
    require(took_s <= size.grace_s + LATE_S, f"it ended after {took_s:.1f} s")
    require(TRACEBACK not in served.said(), f"it says {served.said()[-600:]}")
    return (
        f"{size.each} half-sent requests, {size.each} stuck tools and {size.each} "
        f"clients that read nothing: it ended {took_s:.1f} s after it was told to, of "
        f"which {size.grace_s} s were grace, with status 0 and no traceback; {told} of "
        f"the stuck calls were told so"
    )


def _client(number: int) -> Attacker:
    return Attacker(address(number, EACH_ADDRESS), reads=False)


async def _send_half(served: Served, client: Attacker) -> None:
    await client.connect(served.port)
    _, headers = stateless("echo", "half", {})
    sized = {**headers, "Content-Length": "1000"}
    await client.send(head(served.port, "POST /mcp HTTP/1.1", sized) + b'{"jsonrpc":')


async def _get_stuck(served: Served, client: Attacker) -> None:
    await client.connect(served.port)
    await client.call(served.port, "sleep", {"seconds": STUCK_S})


async def _leave_unread(served: Served, client: Attacker) -> None:
    await client.connect(served.port)
    await client.call(served.port, "flood", {"pieces": UNREAD_PIECES})


async def _hear(client: Attacker) -> bool:
    """Tell whether a client has an answer in the end."""
    try:
        while await client.receive():
            pass
    except Lost:
        pass
    return b'"error"' in client.heard or b'"isError"' in client.heard
