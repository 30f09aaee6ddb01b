"""Which entries are exported."""

from __future__ import annotations

from collections.abc import Sequence

from tools_app.catalogue.entry import CatalogueEntry


def said_here() -> list[CatalogueEntry]:
    """Return the entries that administrators changed or made.

    Not those whose code is gone, which no stage could import.
    """
    return [
        row
        for row in CatalogueEntry.objects.filter(missing_since=None)
        if not row.is_from_code or not row.enabled or row.overrides
    ]


def with_keys(keys: Sequence[str]) -> list[CatalogueEntry]:
    """Return the entries of these names and URIs, of whichever kind.

    Raises LookupError, naming those that there are not.
    """
    rows = list(CatalogueEntry.objects.filter(key__in=keys))
    missing = sorted(set(keys) - {row.key for row in rows})
    if missing:
        raise LookupError(f"There is no entry {', '.join(missing)} in the catalogue.")
    return rows
