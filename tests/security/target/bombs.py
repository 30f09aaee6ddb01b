"""A shelf with every bomb that no registration refuses, and a clock of this process.

SECURITY_LISTENER  the URL of a server that nobody may ask
"""

from __future__ import annotations

import os
import time
from typing import Any

from mcp_transport import Context, Elicit, Shelf
from tests.security.bombs import BOMBS, references

shelf = Shelf()
LISTENER = os.environ["SECURITY_LISTENER"]

# By name: the seconds that registration took, and why it was refused or "".
registered: dict[str, tuple[float, str]] = {}

for number, bomb in enumerate([*BOMBS, *references(LISTENER)]):
    began_s = time.process_time()
    refusal = ""
    try:
        shelf.add(bomb.tool(f"bomb_{number}"))
    except (TypeError, ValueError) as error:
        refusal = str(error)
    registered[bomb.what] = time.process_time() - began_s, refusal


@shelf.tool
async def cpu_s() -> float:
    """Return the seconds that all processors have worked for this process."""
    return time.process_time()


@shelf.tool
async def registrations() -> dict[str, Any]:
    """Return how registration went."""
    return registered


@shelf.tool
async def ask(ctx: Context) -> str:
    """Ask the user for what a schema elsewhere describes."""
    field = {"type": "string", "$ref": LISTENER}
    form = Elicit("Which?", {"type": "object", "properties": {"a": field}})
    return str(ctx.ask(form=form))
