"""A server that is observed, and the requests that are made of it."""

from __future__ import annotations

import asyncio
from typing import Any

from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.context import Context
from mcp_transport.engine.exchange import Exchange
from mcp_transport.engine.observing import Observer
from mcp_transport.engine.server import Server
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import LATEST
from tests.engine.exchanges import opened, serving

shelf = Shelf()


@shelf.tool
def greet(name: str) -> str:
    if name == "nobody":
        raise ValueError("a secret")
    return f"Hello {name}"


@shelf.tool(timeout_s=0.01)
async def late() -> None:
    await asyncio.sleep(30)


@shelf.tool
async def wait() -> None:
    await asyncio.sleep(30)


@shelf.tool
async def cancelled_by_itself(ctx: Context) -> None:
    raise asyncio.CancelledError


@shelf.resource("note://{number}")
def note(number: int) -> str:
    return f"note {number}"


@shelf.prompt
def letter(tone: str) -> str:
    return f"Write in a {tone} tone."


def observed(*observers: Observer, **options: Any) -> Server:
    return serving(shelf, observers=observers, **options)


async def served(exchange: Exchange) -> None:
    """Stay until an exchange is over."""
    async with exchange:
        async for _ in exchange:
            pass


async def call(
    server: Server,
    tool: str,
    arguments: dict[str, Any] | None = None,
    *,
    revision: Revision = LATEST,
    **options: Any,
) -> None:
    params = {"name": tool, "arguments": arguments or {}}
    await served(opened(server, "tools/call", params, revision=revision, **options))
