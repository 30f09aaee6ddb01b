"""The catalogue that is measured.

BENCH_TOOLS   how many tools there are, at least three
BENCH_RATES   where calls of the first are counted, if anywhere; see settings.py
"""

from __future__ import annotations

import asyncio
import os
from typing import Literal

from bench.project.settings import RATE, RATES
from mcp_transport import Context, Tool, catalogue, tool


@tool(read_only=True, idempotent=True, rate=RATE if RATES else None)
async def echo(text: str) -> str:
    """Say the same again.

    Args:
        text: what to say.
    """
    return text


@tool
async def work(ctx: Context, steps: int, pausing: bool) -> int:
    """Tell of each step as soon as it is done; return how many there were.

    Args:
        steps: how many there are.
        pausing: let something else run after each.
    """
    for step in range(1, steps + 1):
        ctx.progress(step, steps)
        if pausing:
            await asyncio.sleep(0)
    return steps


@tool
async def grow() -> int:
    """Add one tool, which changes the list; return how many there are now."""
    name = f"grown_{len(catalogue.snapshot.entries['tools']):04}"
    catalogue.add(Tool.of(count_orders, name=name))
    return len(catalogue.snapshot.entries["tools"])


def count_orders(
    customer_id: int, status: Literal["open", "sent"] | None = None, limit: int = 100
) -> int:
    """Count a customer's orders.

    Args:
        customer_id: whose orders.
        status: only orders in this state.
        limit: stop counting here.
    """
    return min(customer_id, limit)


for number in range(int(os.environ["BENCH_TOOLS"]) - 3):
    tool(name=f"count_orders_{number:04}")(count_orders)
