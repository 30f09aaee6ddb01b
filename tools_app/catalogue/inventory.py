"""All entries that there are: what is served, and what is not, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from asgiref.sync import async_to_sync
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from mcp_transport.conf import get_server
from mcp_transport.engine.catalogue import SEES_ALL, all_entries
from mcp_transport.engine.entry import Entry, Kind
from tools_app.catalogue.building import Built, Place, attempt, made, place
from tools_app.catalogue.configured import registered, served_catalogue
from tools_app.catalogue.entry import CatalogueEntry, Visibility
from tools_app.catalogue.overriding import overridden
from tools_app.kinds.kind import Lookup


class EntryStatus(TextChoices):
    """Whether an entry is served, and why not."""

    ON = "on", _("on")
    OFF = "off", _("off")
    BROKEN = "broken", _("not servable")
    MISSING = "missing", _("code gone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry. ``scope`` is None where nothing is left that says it; ``reason``
    is why an entry is not servable, in words; ``entry`` is what is served.
    """

    kind: Kind
    key: str
    name: str
    title: str | None
    description: str
    scope: str | None
    permission: str | None
    tags: list[str]
    status: EntryStatus
    reason: str | None = None
    visibility: Visibility = Visibility.LISTED
    entry: Entry | None = None


def inventory() -> list[Item]:
    """Return all entries. Those that are not served are known only of the catalogue
    that administrators steer.

    Raises StoreUnavailable and DatabaseError. Must not run on an event loop.
    """
    served = served_catalogue()
    if served is None:
        entries = async_to_sync(all_entries)(get_server().catalogue, SEES_ALL)
        return list(map(_served, entries))
    built = served.current()
    unlisted = built.snapshot.unlisted
    return [
        *(
            _served(entry, (kind, key) in unlisted)
            for kind, entries in built.snapshot.entries.items()
            for key, entry in entries.items()
        ),
        *_withheld(built),
    ]


def _served(entry: Entry, is_unlisted: bool = False) -> Item:
    return Item(
        **_said_by_entry(entry),
        status=EntryStatus.ON,
        visibility=Visibility.UNLISTED if is_unlisted else Visibility.LISTED,
        entry=entry,
    )


def _withheld(built: Built) -> Iterator[Item]:
    """Give the rows that are not served, as they would be."""
    code = registered()
    for row in built.rows:
        reason = built.broken.get(row.pk)
        if row.enabled and reason is None:
            if row.key in built.snapshot.entries[place(row)[0]]:
                continue
            status = EntryStatus.MISSING
        else:
            status = EntryStatus.BROKEN if row.enabled else EntryStatus.OFF
        entry = _entry_of(row, code, built.look_up)
        yield Item(
            **(_said_by_row(row) if entry is None else _said_by_entry(entry)),
            status=status,
            reason=reason,
            visibility=Visibility(row.visibility),
        )


def _entry_of(
    row: CatalogueEntry, code: Mapping[Place, Entry], look_up: Lookup
) -> Entry | None:
    """Return the entry that a row would be, None where it can be none."""
    if not row.is_from_code:
        built = attempt(row, lambda: made(row, look_up))
    elif (entry := code.get(place(row))) is not None:
        built = attempt(row, lambda: overridden(entry, row))
    else:
        return None
    return None if isinstance(built, str) else built


def _said_by_entry(entry: Entry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "key": entry.key,
        "name": entry.name,
        "title": entry.title,
        "description": entry.description,
        "scope": entry.scope,
        "permission": entry.permission,
        "tags": sorted(entry.tags),
    }


def _said_by_row(row: CatalogueEntry) -> dict[str, Any]:
    """Return what is said of an entry without having it: here, or by its code."""
    code = row.code
    return {
        "kind": row.kind,
        "key": row.key,
        "name": code.get("name") or row.key,
        "title": row.title or code.get("title") or None,
        "description": row.description or code.get("description", ""),
        "scope": row.scope or code.get("scope") or None,
        "permission": row.needed_permission or None,
        "tags": sorted(code.get("tags", []) if row.tags is None else row.tags),
    }
