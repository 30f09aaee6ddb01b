"""The catalogue of a small shop, for one test after another."""

from __future__ import annotations

import asyncio
from typing import Annotated

from pydantic import Field

from mcp_transport import Context
from mcp_transport.engine.catalogue import Shelf
from tools_app.catalogue import AdminCatalogue

NAMED = "tests.tools_app.catalogue.shop.ShopCatalogue"


def fill(shelf: Shelf) -> None:
    @shelf.tool(read_only=True, tags={"orders"}, timeout_s=20, rate="100/m")
    def count_orders(status: str, region: str = "any") -> int:
        """Count the orders.

        Args:
            status: as the shop has it.
        """
        return len(status)

    @shelf.tool
    def route(
        region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})],
    ) -> str:
        """Say where an order goes."""
        return region

    @shelf.tool
    async def slow(ctx: Context, wait_s: float) -> str:
        """Take a while."""
        await asyncio.sleep(wait_s)
        return "done"

    @shelf.resource("shop://hours", mime_type="text/plain")
    def hours() -> str:
        """When the shop is open."""
        return "9 to 5"

    @shelf.resource("shop://orders/{pk}")
    def order(pk: int) -> str:
        """One order."""
        return str(pk)

    @shelf.prompt
    def letter(name: str, tone: str = "kind") -> str:
        """A letter.

        Args:
            name: to whom.
        """
        return f"{name}, {tone}"


class ShopCatalogue(AdminCatalogue):
    shelf = Shelf()
