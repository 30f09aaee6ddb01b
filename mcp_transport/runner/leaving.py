"""How a process ends that others rely on.

1. Nothing new is accepted; each reply says that its connection ends.
2. The endpoint lets its calls come to an end.
3. Streams are told when to come back, WebSockets that the server goes away.
4. What has not ended when the grace is over is cut, and the store told of it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from twisted.internet import reactor as _reactor

from mcp_transport.draining import drain, settle

if TYPE_CHECKING:
    from mcp_transport.runner.request import Request
    from mcp_transport.runner.server import Server

logger = logging.getLogger("mcp_transport.runner")
reactor: Any = _reactor

# The last part of the grace, in which no call goes on and good-bye is said.
FAREWELL_S = 1.0
# Behind the grace: for what was said in its last moment, for those whose connections
# were cut to notice, for the store to hear of it, and to clean up.
GOODBYE_S = 0.5
PART_EVERY_S = 0.1
LET_GO_S = 0.05
SETTLE_S = 0.4
CLEAN_UP_S = 0.3


async def leave(server: Server) -> None:
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + server.grace_s
    server.stop_listening()
    server.links.hasten()
    logger.info("leaving: %d connections are open", len(server.links))
    await _drain(server.grace_s)
    for socket in list(server.links.sockets):
        socket.go_away()
    try:
        async with asyncio.timeout_at(max(ends_at, loop.time() + GOODBYE_S)):
            await _part(server)
    except TimeoutError:
        logger.warning("%d connections were cut", len(server.links))
        server.links.abort()
        await asyncio.sleep(LET_GO_S)
    await settle(SETTLE_S)
    await _end_tasks()
    reactor.stop()


async def _part(server: Server) -> None:
    """Wait until nobody is connected. What streams is ended: by the endpoint, if it
    is one of its streams, or else by us.
    """
    known: set[Request] = set()
    while server.links:
        streams = set(server.streams())
        for stream in known & streams:
            stream.end_stream()
        known = streams
        await asyncio.sleep(PART_EVERY_S)


async def _drain(grace_s: float) -> None:
    """Let the endpoint come to its end. Whatever happens there, the process ends."""
    try:
        async with asyncio.timeout(grace_s):
            cut = await drain(max(0.0, grace_s - FAREWELL_S))
    except TimeoutError:
        logger.warning("the endpoint did not come to its end in time")
    except Exception:
        logger.exception("the endpoint did not come to its end")
    else:
        if cut:
            logger.warning("%d calls were ended", cut)


async def _end_tasks() -> None:
    """Let everything that still runs clean up."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=CLEAN_UP_S)
