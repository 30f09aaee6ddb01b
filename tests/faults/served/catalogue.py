"""Tools whose effects are noted where every process notes its own."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from mcp_transport import Context, ResourceUpdated, Shelf, ToolError, presence
from mcp_transport.conf import announce, get_store
from mcp_transport.engine.store import StoreUnavailable
from tests.faults.journal import Journal
from tests.faults.served.failpoints import die_after_effect

shelf = Shelf()
PIECE = "x" * 65_536
journal = Journal(Path(os.environ["FAULTS_JOURNAL"]))


@shelf.tool
async def work(ctx: Context, call: str, says: int = 0, pause_s: float = 0) -> str:
    """Say something so many times, have the effect, and return the call.

    Args:
        call: what the effect is known by.
        says: how many messages to log.
        pause_s: how long to rest behind each, and before the effect.
    """
    for number in range(1, says + 1):
        ctx.log("info", {"number": number, "at": time.monotonic()})
        await asyncio.sleep(pause_s)
    await asyncio.sleep(pause_s)
    journal.write("ran", call=call, pid=os.getpid())
    die_after_effect(ctx.request_id)
    return call


@shelf.tool
def sleep(seconds: float) -> None:
    """Hold a thread.

    Args:
        seconds: for how long.
    """
    time.sleep(seconds)


@shelf.tool
async def echo(text: str) -> str:
    """Say the same again.

    Args:
        text: what to say.
    """
    return text


@shelf.tool
async def flood(ctx: Context, pieces: int) -> None:
    """Log so many pieces of 64 KiB, four at a time and forty times a second.

    Args:
        pieces: how many.
    """
    for number in range(1, pieces + 1):
        ctx.log("info", PIECE)
        if number % 4 == 0:
            await asyncio.sleep(0.025)


@shelf.tool
async def text(length: int) -> str:
    """Return a text.

    Args:
        length: of so many characters.
    """
    return "x" * length


@shelf.tool
async def tasks() -> int:
    """Return how many tasks there are in this process."""
    return len(asyncio.all_tasks())


@shelf.tool
async def touch(uri: str) -> None:
    """Announce that a note has changed.

    Args:
        uri: which note.
    """
    announce(ResourceUpdated(uri))


@shelf.tool
async def who() -> int:
    """Count the sessions and what is open, as an administrator sees them."""
    try:
        counted = await asyncio.to_thread(get_store().sessions.count)
        sessions, streams = await presence.sessions(), await presence.streams()
    except StoreUnavailable:
        raise ToolError("Redis cannot be asked at the moment") from None
    return max(counted, sessions.total) + streams.total


@shelf.resource("note://{name}")
async def note(name: str) -> str:
    """A note."""
    return name
