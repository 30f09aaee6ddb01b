"""A row for each entry that code registers, made and kept by itself.

What administrators say of an entry stays when its code goes, and counts again when
it is back.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import router, transaction
from django.utils import timezone

from mcp_transport.engine.entry import Entry
from tools_app.catalogue.building import Place, place
from tools_app.catalogue.entry import MAX_KEY_CHARS, CatalogueEntry
from tools_app.catalogue.overriding import said_by_code

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Synced:
    """What was found, as names of entries."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    back: tuple[str, ...]


def sync(code: Iterable[Entry]) -> Synced:
    """Bring the rows up to ``code``. Any number of processes may do so at once.

    Nothing is written where nothing differs. Raises DatabaseError.
    """
    using = router.db_for_write(CatalogueEntry)
    registered = {
        (entry.kind, entry.key): entry for entry in code if _has_room_for(entry)
    }
    with transaction.atomic(using=using):
        rows = {place(row): row for row in CatalogueEntry.objects.using(using)}
        new = [_row(e) for where, e in registered.items() if where not in rows]
        # Another process may have made them since.
        CatalogueEntry.objects.using(using).bulk_create(new, ignore_conflicts=True)
        changed, back = _keep(rows, registered, using)
        gone = [
            row
            for where, row in rows.items()
            if row.is_from_code and where not in registered and not row.missing_since
        ]
        CatalogueEntry.objects.using(using).filter(
            pk__in=[row.pk for row in gone], missing_since=None
        ).update(missing_since=timezone.now())
    return Synced(_names(new), _names(changed), _names(gone), _names(back))


def _keep(
    rows: dict[Place, CatalogueEntry], registered: dict[Place, Entry], using: str
) -> tuple[list[CatalogueEntry], list[CatalogueEntry]]:
    """Write down what code says otherwise than before; return what changed, and
    what is back.
    """
    changed, back = list[CatalogueEntry](), list[CatalogueEntry]()
    for where, row in rows.items():
        entry = registered.get(where)
        if entry is None or not row.is_from_code:
            continue
        kept = _kept(entry)
        if row.missing_since is not None:
            back.append(row)
        elif any(getattr(row, name) != value for name, value in kept.items()):
            changed.append(row)
        for name, value in kept.items():
            setattr(row, name, value)
        row.missing_since = None
    CatalogueEntry.objects.using(using).bulk_update(
        [*changed, *back], ["app_label", "code", "missing_since"], batch_size=100
    )
    return changed, back


def _row(entry: Entry) -> CatalogueEntry:
    return CatalogueEntry(kind=entry.kind, key=entry.key, **_kept(entry))


def _kept(entry: Entry) -> dict[str, Any]:
    return {"app_label": _app_label(entry), "code": said_by_code(entry)}


def _app_label(entry: Entry) -> str:
    """Return the app whose code it is; blank for code of no app."""
    function = getattr(entry, "function", None)
    found = function and apps.get_containing_app_config(function.module)
    return found.label if found else ""


def _has_room_for(entry: Entry) -> bool:
    if len(entry.key) <= MAX_KEY_CHARS:
        return True
    logger.warning(
        "%.60s... of %s is served as its code has it: with more than %d characters it "
        "has no place in the catalogue's table.",
        entry.key,
        entry.kind,
        MAX_KEY_CHARS,
    )
    return False


def _names(rows: Iterable[CatalogueEntry]) -> tuple[str, ...]:
    return tuple(row.key for row in rows)
