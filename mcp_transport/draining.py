"""What the endpoint does before its process ends, so that nobody loses a call."""

from __future__ import annotations

import asyncio

from mcp_transport.conf import get_server


async def drain(grace_s: float) -> int:
    """End the streams that wait for changes, and wait for the running calls, those
    included that begin meanwhile.

    Return how many were still running after ``grace_s`` seconds; they have been
    ended then.
    """
    server = get_server()
    server.end_streams()
    ends_at = asyncio.get_running_loop().time() + grace_s
    cut = 0
    while server.calls and not cut:
        cut = await server.calls.drain(ends_at - asyncio.get_running_loop().time())
    return cut
