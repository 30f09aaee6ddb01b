"""Who is connected, in all processes, and the ends that an administrator can put.

What is shown of a client can be ended by its ``handle``, and used by nobody. All
of it may be asked of any process that has the settings, one that serves nobody
too; with a store in memory a process knows of itself alone. The functions raise
StoreUnavailable.
"""

from __future__ import annotations

from mcp_transport.conf import get_store
from mcp_transport.engine.presence import Census, SeenSession, SeenStream
from mcp_transport.engine.store import StoreUnavailable

MOST = 200


async def sessions(most: int = MOST) -> Census[SeenSession]:
    """Return the sessions that were used last, at most so many."""
    return await get_store().presence.sessions(most)


async def streams(most: int = MOST) -> Census[SeenStream]:
    """Return the streams and sockets that were used last, at most so many."""
    return await get_store().presence.streams(most)


async def end_session(handle: str) -> bool:
    """End a session with its streams and calls; False where there is none.

    Its client is told "Session not found" from now on, and may begin another.
    """
    return await get_store().presence.end_session(handle)


async def end_stream(handle: str) -> bool:
    """End a stream or socket; False where there is none.

    A call goes on if its session can come back for the answer; any other ends with
    its stream. A WebSocket is closed with code 4410.
    """
    return await get_store().presence.end_stream(handle)


__all__ = [
    "Census",
    "SeenSession",
    "SeenStream",
    "StoreUnavailable",
    "end_session",
    "end_stream",
    "sessions",
    "streams",
]
