"""How a process stops serving without failing anybody: called by its runner.

No new connection is accepted by then. Streams that only wait end at once, and
their clients come back to another process; calls go on until they are answered.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from mcp_transport.conf import get_server
from mcp_transport.transports.delivery import get_deliveries
from mcp_transport.transports.open_streams import get_open_streams

# As long as a reader may take to look into the log where nobody wakes it.
PARTING_S = 1.0


async def drain(grace_s: float) -> int:
    """Let what runs come to its end within ``grace_s`` seconds, and end the rest.

    Return how many calls were still running then.
    """
    loop, server, streams = asyncio.get_running_loop(), get_server(), get_open_streams()
    ends_at_s = loop.time() + grace_s
    server.end_streams()
    streams.end_waiting()
    late = await server.calls.drain(grace_s)
    await get_deliveries().settle(max(0.0, ends_at_s - loop.time()))
    if streams.answering_calls:
        # What the calls said last is in the log, and on its way to who reads it.
        await asyncio.sleep(PARTING_S)
    streams.end_all()
    await streams.emptied(max(PARTING_S, ends_at_s - loop.time()))
    await server.drain_observers()
    return late


async def settle(timeout_s: float) -> None:
    """Let the store know what has ended with the last connections: a stream that
    seems to be read could not be taken up elsewhere. Let observers keep the rest.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await asyncio.gather(
                get_deliveries().settle(timeout_s), get_server().drain_observers()
            )
