"""Whether the settings serve the catalogue that administrators steer."""

from __future__ import annotations

import logging
from typing import Any

from django.db import DatabaseError, router
from django.utils.module_loading import import_string

from mcp_transport.conf import get_server, get_store, read_settings
from mcp_transport.engine.catalogue import Shelf, catalogue
from mcp_transport.engine.entry import Entry
from mcp_transport.engine.signals import CatalogueChanged
from tools_app.catalogue.building import Place, made, place
from tools_app.catalogue.entry import CatalogueEntry
from tools_app.catalogue.overriding import overridden
from tools_app.catalogue.reading import is_migrated
from tools_app.catalogue.serving import AdminCatalogue
from tools_app.catalogue.sync import sync
from tools_app.kinds.kind import Lookup

logger = logging.getLogger(__name__)


def configured_catalogue() -> type[AdminCatalogue] | None:
    """Return the class that the settings name; None where it is another catalogue."""
    try:
        named = import_string(read_settings()[0].catalogue)
    except ImportError:
        return None  # mcp_transport.E004 tells of it
    is_ours = isinstance(named, type) and issubclass(named, AdminCatalogue)
    return named if is_ours else None


def code_shelf() -> Shelf:
    """Return what code registers, whichever catalogue the settings name."""
    named = configured_catalogue()
    return catalogue if named is None else named.shelf


def served_catalogue() -> AdminCatalogue | None:
    """Return the one that this process serves."""
    served = get_server().catalogue
    return served if isinstance(served, AdminCatalogue) else None


def registered() -> dict[Place, Entry]:
    """Return what code registers, by kind and key."""
    return {(entry.kind, entry.key): entry for entry in code_shelf().entries()}


def look_up() -> Lookup:
    """Return what finds the entries of the code, as administrators left them.

    Raises DatabaseError.
    """
    served = served_catalogue()
    if served is not None:
        return served.current().look_up
    known = registered()
    return lambda kind, key: known.get((kind, key))


def entry_of(row: CatalogueEntry) -> Entry:
    """Return the entry that a row, saved or not, is while it is switched on.

    Raises ValueError, in plain words, where it is none.
    """
    if not row.is_from_code:
        return made(row, look_up())
    entry = registered().get(place(row))
    if entry is None:
        raise ValueError("No code registers it any more.")
    return overridden(entry, row)


def tell_others(**_: Any) -> None:
    """Rows were changed: the other processes are to read them at once."""
    if configured_catalogue() is not None:
        get_store().signals.announce(CatalogueChanged())


def sync_after_migrate(using: str, **_: Any) -> None:
    """Make the rows of what code registers; without them all is served as well."""
    named = configured_catalogue()
    if named is None or using != router.db_for_write(CatalogueEntry):
        return
    try:
        if is_migrated():
            sync(named.shelf.entries())
    except DatabaseError:
        logger.exception("The catalogue's rows could not be brought up to the code.")
