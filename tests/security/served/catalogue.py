"""Tools that hold a secret of their caller's, in all the ways that there are."""

from __future__ import annotations

import asyncio
from pathlib import Path

from mcp_transport import Context, ResourceUpdated, Sample, Shelf
from mcp_transport.conf import announce

shelf = Shelf()
LOOK_AGAIN_S = 0.01


@shelf.tool
async def keep(ctx: Context, secret: str, until: str) -> str:
    """Say a secret, wait for a file, and return the secret.

    Args:
        secret: what nobody else may hear.
        until: the file.
    """
    ctx.log("error", {"secret": secret})
    ctx.progress(1, 2, secret)
    while not Path(until).exists():  # noqa: ASYNC110, ASYNC240 - by another process
        await asyncio.sleep(LOOK_AGAIN_S)
    ctx.log("debug", {"secret": secret})
    return secret


@shelf.tool
async def ask(ctx: Context, secret: str) -> str:
    """Ask the client's model about a secret; return what it said.

    Args:
        secret: what nobody else may hear.
    """
    answer = ctx.ask(it=Sample(secret, max_tokens=10))["it"]
    return f"{secret}: {answer['content']['text']}"


@shelf.tool
async def tell() -> str:
    """Return what anybody may hear."""
    return "told"


@shelf.tool
def touch(uri: str) -> None:
    """Announce that a note has changed.

    Args:
        uri: which note.
    """
    announce(ResourceUpdated(uri))


@shelf.resource("note://{name}")
async def note(name: str) -> str:
    """Return a note.

    Args:
        name: which one.
    """
    return f"a note on {name}"


@shelf.prompt(completions={"to": ["Ada", "Bob"]})
def letter(to: str) -> str:
    """Write a letter.

    Args:
        to: whom.
    """
    return f"Write to {to}."
