"""A shop with a tool for each way in which a door carries a call."""

from __future__ import annotations

import asyncio

from mcp_transport import Context, Elicit, ListChanged, Shelf
from mcp_transport.conf import announce

shelf = Shelf()

# Long enough that a client can go and come back meanwhile.
STEP_S = 0.3
WHERE_TO = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}


@shelf.tool
async def count_orders(status: str = "open") -> str:
    """Count the orders in a state."""
    return {"open": "3", "sent": "8"}.get(status, "0")


@shelf.tool
async def recount(ctx: Context) -> str:
    """Count all orders anew, and report how far it is."""
    for step in (1, 2, 3):
        ctx.progress(step, 3)
        await asyncio.sleep(STEP_S)
    return "11"


@shelf.tool
async def ship(ctx: Context, pk: int) -> str:
    """Ask where an order goes, and send it there."""
    answer = ctx.ask(where=Elicit("Ship tea to?", WHERE_TO))["where"]
    if answer["action"] != "accept":
        return "It stays."
    return f"Order {pk} goes to {answer['content']['city']}."


@shelf.tool
async def restock() -> str:
    """Put new goods on the shelf: the list of resources is another one now."""
    announce(ListChanged("resources"))
    return "done"


@shelf.tool(timeout_s=0.2)
async def stocktake() -> str:
    """Take longer than the tool may."""
    await asyncio.sleep(60)
    return "never"
