"""Tools that run until a test lets them go, and that tell how they ended.

A test names each call by a word of its own, its gate.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict

from mcp_transport import Context
from tests.wire.shelf import shelf

PATIENCE_S = 20


class Gate:
    """Where one call waits. ``fate`` is how the call ended, once it has."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered = threading.Event()
        self.ended = threading.Event()
        self.fate = ""

    def end(self, fate: str) -> None:
        self.fate = fate
        self.ended.set()


gates: dict[str, Gate] = defaultdict(Gate)


async def becomes_true(event: threading.Event) -> None:
    """Wait, on whichever event loop this is; raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_S):
        while not event.is_set():  # noqa: ASYNC110 - set from any thread and loop
            await asyncio.sleep(0.005)


@shelf.tool
async def hold(ctx: Context, gate: str, aloud: bool = False) -> str:
    """Wait at a gate.

    Args:
        gate: which one.
        aloud: whether to report progress first.
    """
    held = gates[gate]
    if aloud:
        ctx.progress(1)
    held.entered.set()
    try:
        await becomes_true(held.opened)
    except asyncio.CancelledError:
        held.end("cancelled")
        raise
    held.end("released")
    if aloud:
        ctx.progress(2)
    return f"released {gate}"


@shelf.tool
def hold_thread(ctx: Context, gate: str) -> str:
    """Wait at a gate, on a thread, until it opens or the call is cancelled.

    Args:
        gate: which one.
    """
    held = gates[gate]
    held.entered.set()
    for _ in range(int(PATIENCE_S / 0.005)):
        if held.opened.wait(0.005):
            held.end("released")
            return f"released {gate}"
        if ctx.cancelled:
            held.end("cancelled")
            return "cancelled"
    raise TimeoutError


@shelf.tool
async def let_go(ctx: Context, gate: str) -> str:
    """Tell the client to come back later, then wait at a gate.

    Args:
        gate: which one.
    """
    held = gates[gate]
    ctx.log("info", "before")
    ctx.close_stream(retry_ms=123)
    await becomes_true(held.opened)
    ctx.log("info", "after")
    return f"released {gate}"


@shelf.tool
async def entered(gate: str) -> bool:
    """Wait until a call is at the gate.

    Args:
        gate: which one.
    """
    await becomes_true(gates[gate].entered)
    return True


@shelf.tool
async def release(gate: str) -> bool:
    """Open a gate.

    Args:
        gate: which one.
    """
    gates[gate].opened.set()
    return True


@shelf.tool
async def fate(gate: str) -> str:
    """Wait until the call at a gate has ended, and tell how.

    Args:
        gate: which one.
    """
    await becomes_true(gates[gate].ended)
    return gates[gate].fate


@shelf.tool
async def count(ctx: Context, to: int, at_once: bool = False) -> str:
    """Log every number up to one.

    Args:
        to: the last number.
        at_once: whether nobody gets a turn meanwhile.
    """
    for number in range(1, to + 1):
        ctx.log("info", number)
        if number % 10 == 0 and not at_once:
            await asyncio.sleep(0)
    return f"counted to {to}"


@shelf.tool
async def say(ctx: Context, text: str) -> str:
    """Say one text in every way that there is.

    Args:
        text: what to say.
    """
    ctx.progress(1, message=text)
    ctx.log("info", {text: [text]}, logger=text)
    return text
