from __future__ import annotations

from typing import Any

import pytest

from mcp_transport.engine.catalogue import Shelf
from tests.tools_app.catalogue.conftest import served, shelf
from tools_app.catalogue.sync import sync
from tools_app.models import CatalogueEntry
from tools_app.transfer.document import FORMAT, VERSION, exported, written

__all__ = ["served", "shelf"]

Json = dict[str, Any]

HOURS: Json = {
    "kind": "resources",
    "key": "docs://hours",
    "source": "text",
    "title": "Hours",
    "spec": {"mime_type": "text/plain", "text": "Nine to five, für alle."},
}
PRESET: Json = {
    "kind": "tools",
    "key": "count_open",
    "source": "preset",
    "spec": {
        "tool": "count_orders",
        "arguments": {"status": "open"},
        "input_schema": {},
    },
}
COUNT: Json = {
    "kind": "tools",
    "key": "count_orders",
    "source": "code",
    "description": "Counts.",
    "tags": ["orders", "daily"],
    "timeout_s": 5.0,
}


def file(*entries: Json, **members: Any) -> bytes:
    document = {"format": FORMAT, "version": VERSION, "entries": list(entries)}
    return written({**document, **members}).encode()


def entry(key: str) -> CatalogueEntry:
    return CatalogueEntry.objects.get(key=key)


def everything() -> list[Json]:
    """The whole table, as a file has it."""
    entries: list[Json] = exported(CatalogueEntry.objects.all())["entries"]
    return entries


@pytest.fixture
def here(shelf: Shelf, served: Any) -> Shelf:
    """A stage whose catalogue is in use, with a row for each entry of the code."""
    sync(shelf.entries())
    return shelf
