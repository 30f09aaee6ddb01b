"""The catalogue of the shop, with a tool that does what an administrator does."""

from __future__ import annotations

import time

from mcp_transport.engine.catalogue import Shelf
from tests.tools_app.catalogue.shop import fill
from tools_app.catalogue import AdminCatalogue
from tools_app.models import CatalogueEntry

shelf = Shelf()
fill(shelf)


@shelf.tool
def switch(key: str, on: bool) -> float:
    """Switch an entry; tell when that was done, in seconds since the epoch."""
    entry = CatalogueEntry.objects.get(key=key)
    entry.enabled = on
    entry.save()
    return time.time()


class Polled(AdminCatalogue):
    """As any project has it."""

    shelf = shelf


class Told(AdminCatalogue):
    """One that hears of changes from the others, or not at all."""

    shelf = shelf
    poll_s = 3600.0
