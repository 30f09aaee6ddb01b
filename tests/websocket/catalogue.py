"""Tools that answer at once, ask, or wait until a test lets them go."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict

from asgiref.sync import sync_to_async

from mcp_transport import Context, Elicit, Shelf, Tool

PATIENCE_S = 20
FORM = Elicit("Where?", {"type": "object", "properties": {"a": {"type": "string"}}})

shelf = Shelf()


class Gate:
    """Where one call waits. ``fate`` is how it ended, once it has."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.ended = asyncio.Event()
        self.opened = threading.Event()
        self.fate = ""


gates: dict[str, Gate] = defaultdict(Gate)


@shelf.tool
async def echo(ctx: Context, text: str) -> str:
    """Say it again, having said that it will.

    Args:
        text: what to say.
    """
    ctx.progress(1, 1)
    return text


@shelf.tool
async def ask(ctx: Context) -> str:
    """Ask where."""
    return str(ctx.ask(it=FORM)["it"]["content"]["a"])


@shelf.tool
async def caller(ctx: Context) -> str:
    """Tell who calls."""
    return ctx.caller.subject


@shelf.tool
async def hold(gate: str) -> str:
    """Wait at a gate for good.

    Args:
        gate: which one.
    """
    held = gates[gate]
    held.entered.set()
    try:
        await asyncio.sleep(PATIENCE_S)
    except asyncio.CancelledError:
        held.fate = "cancelled"
        raise
    finally:
        held.ended.set()
    return "in vain"


@shelf.tool
def hold_thread(gate: str) -> bool:
    """Wait at a gate, on a thread; tell whether it was opened.

    Args:
        gate: which one.
    """
    return gates[gate].opened.wait(PATIENCE_S)


@shelf.tool
async def hold_shared_thread(gate: str) -> bool:
    """Wait at a gate, on the one thread that all of Django's sync code shares.

    Args:
        gate: which one.
    """
    return await sync_to_async(gates[gate].opened.wait)(PATIENCE_S)


@shelf.tool
async def release(gate: str) -> bool:
    """Open a gate.

    Args:
        gate: which one.
    """
    gates[gate].opened.set()
    return True


@shelf.tool
async def entered(gate: str) -> bool:
    """Return when a call is at the gate.

    Args:
        gate: which one.
    """
    async with asyncio.timeout(PATIENCE_S):
        return await gates[gate].entered.wait()


@shelf.tool
async def fate(gate: str) -> str:
    """Tell how the call at a gate ended, once it has.

    Args:
        gate: which one.
    """
    async with asyncio.timeout(PATIENCE_S):
        await gates[gate].ended.wait()
    return gates[gate].fate


def passing() -> str:
    """Come and go."""
    return "here"


@shelf.tool
async def change() -> bool:
    """Put a tool on the shelf and take it off again."""
    shelf.add(Tool.of(passing))
    shelf.remove("tools", "passing")
    return True
