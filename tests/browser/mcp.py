"""What pages call: tools that take their time, ask, fail, and remember."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Annotated

from pydantic import Field

from mcp_transport import (
    Context,
    Elicit,
    ListRoots,
    ResourceUpdated,
    Sample,
    Tool,
    ToolError,
    catalogue,
    prompt,
    resource,
    tool,
)
from mcp_transport.conf import announce

NAME_SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "title": "Your name"}},
    "required": ["name"],
}

nudges: defaultdict[str, asyncio.Queue[None]] = defaultdict(asyncio.Queue)
noted: list[str] = []
cancelled: list[str] = []


@tool(read_only=True)
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
def fail() -> str:
    """Fail, and say what to do instead."""
    raise ToolError("The desk is closed. Come back on Monday.")


@tool
async def count(ctx: Context, upto: int, gap_ms: int = 0) -> str:
    """Count, and report each number."""
    for number in range(1, upto + 1):
        ctx.progress(number, total=upto, message=f"number {number}")
        ctx.log("info", {"number": number}, logger="counter")
        await asyncio.sleep(gap_ms / 1000)
    return f"counted to {upto}"


@tool
async def wait(name: str) -> str:
    """Wait until the call is cancelled."""
    noted.append(name)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        cancelled.append(name)
        raise
    return "never"


@tool
async def note(ctx: Context, text: str) -> str:
    """Note something and report it. The first time, wait for a nudge."""
    ctx.progress(1)
    return await note_silently(text)


@tool
async def note_silently(text: str) -> str:
    """Note something. The first time, wait for a nudge."""
    noted.append(text)
    if noted.count(text) == 1:
        await nudges[text].get()
    return f"noted {text}"


@tool
async def strive(ctx: Context, name: str, times: int) -> str:
    """Report each nudge, and be done with the last."""
    for number in range(1, times + 1):
        await nudges[name].get()
        ctx.progress(number)
    return f"done after {times}"


@tool
async def nudge(name: str) -> str:
    """Let a call go on that waits for it."""
    nudges[name].put_nowait(None)
    return "nudged"


@tool(read_only=True)
def notes() -> list[str]:
    """Say what was noted."""
    return noted


@tool(read_only=True)
def given_up() -> list[str]:
    """Say which waits were cancelled."""
    return cancelled


@tool
def order(ctx: Context) -> str:
    """Ask the user for a name, and order in it."""
    answer = ctx.ask(who=Elicit("Who is it for?", NAME_SCHEMA))["who"]
    if answer["action"] != "accept":
        return "no order"
    return f"ordered for {answer['content']['name']}"


@tool
def slogan(ctx: Context, subject: str) -> str:
    """Let the client's model write a slogan, for one of its folders."""
    said = ctx.ask(line=Sample(subject, max_tokens=20), roots=ListRoots())
    (root,) = said["roots"]["roots"]
    return f"{said['line']['content']['text']} in {root['name']}"


@tool(rate="1/s")
def seldom() -> str:
    """Be called once a second, and no more often."""
    return "called"


@tool
def stock_of(
    region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})],
) -> str:
    """Say where the stock of a region is kept."""
    return f"the stock of {region}"


@tool
def restock() -> str:
    """Change the stock, and tell those who watch it."""
    announce(ResourceUpdated("desk://stock"))
    return "restocked"


def counter() -> str:
    """Come and go by toggle."""
    return "open"


@tool
def toggle() -> str:
    """Put a tool on the shelf, or take it off again."""
    if any(entry.key == "counter" for entry in catalogue.entries()):
        catalogue.remove("tools", "counter")
        return "closed"
    catalogue.add(Tool.of(counter))
    return "opened"


@resource("desk://stock", mime_type="text/plain", title="Stock")
def stock() -> str:
    """What there is."""
    return "pens"


@resource("desk://drawers/{number}")
def drawer(number: int) -> dict[str, int]:
    """What is in a drawer."""
    return {"number": number}


@prompt(completions={"tone": ["kind", "firm", "funny"]})
def letter(customer: str, tone: str = "kind") -> str:
    """Write to a customer."""
    return f"Write a {tone} letter to {customer}."
