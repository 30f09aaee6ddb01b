from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings

from mcp_transport.conf import get_server
from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.threads import Threads
from tests.tools_app.catalogue.shop import NAMED, ShopCatalogue, fill
from tools_app.catalogue.sync import sync
from tools_app.models import CatalogueEntry


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """The shelf of the shop, as its code fills it."""
    shelf = Shelf()
    fill(shelf)
    monkeypatch.setattr(ShopCatalogue, "shelf", shelf)
    return shelf


@pytest.fixture
def served(shelf: Shelf, transactional_db: None) -> Iterator[ShopCatalogue]:
    """The catalogue that the server of this process serves.

    It is read on a thread, whose connection sees only what is committed.
    """
    with override_settings(MCP={"CATALOGUE": NAMED}):
        server = get_server()
        assert isinstance(server.catalogue, ShopCatalogue)
        yield server.catalogue
        server.catalogue.close()
        assert isinstance(server.run_sync, Threads)
        server.run_sync.close()


@pytest.fixture
def rows(served: ShopCatalogue, shelf: Shelf) -> dict[str, CatalogueEntry]:
    """The rows of what the code registers, by their keys."""
    sync(shelf.entries())
    return {row.key: row for row in CatalogueEntry.objects.all()}
