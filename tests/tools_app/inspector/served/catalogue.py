"""What tells whom it is run as, what asks, and what takes its time."""

from __future__ import annotations

import asyncio

from mcp_transport import Context, Elicit, Shelf

shelf = Shelf()
# How the calls of ``wait`` have ended.
ended: list[str] = []

NAME = {
    "type": "object",
    "properties": {"name": {"type": "string", "title": "Your name"}},
    "required": ["name"],
}


@shelf.tool(read_only=True)
def whoami(ctx: Context) -> dict[str, str]:
    """Say who calls, and for whom."""
    caller = ctx.caller
    return {
        "user": ctx.user.get_username(),
        "subject": caller.subject,
        "actor": caller.actor or "",
    }


@shelf.tool
def greet(ctx: Context) -> str:
    """Ask for a name, and greet whoever has it."""
    answer = ctx.ask(who=Elicit("Who are you?", NAME))["who"]
    return f"Hello, {answer['content']['name']}"


@shelf.tool
def brew(ctx: Context, cups: int) -> str:
    """Brew cup by cup, reporting each.

    Args:
        cups: how many.
    """
    for cup in range(1, cups + 1):
        ctx.progress(cup, cups, f"cup {cup}")
        ctx.log("info", {"cup": cup}, logger="kettle")
    return f"{cups} cups"


@shelf.tool
async def wait(ctx: Context) -> str:
    """Wait until cancelled."""
    ctx.progress(1)
    try:
        await asyncio.Event().wait()
    finally:
        ended.append("cancelled")
    return "never"


@shelf.tool
async def waits() -> list[str]:
    """Say how the calls of wait have ended."""
    return ended


@shelf.tool(permission="auth.delete_user")
def close_shop() -> str:
    """Need a permission."""
    return "Closed"


@shelf.tool(rate="2/d")
def ring() -> str:
    """Ring the bell, which is rarely allowed."""
    return "Ding"


@shelf.resource("shop://stock", mime_type="text/plain")
def stock() -> str:
    """What there is."""
    return "tea, cake"


@shelf.prompt
def letter(customer: str) -> str:
    """Write to a customer.

    Args:
        customer: the name.
    """
    return f"Write a letter to {customer}."
