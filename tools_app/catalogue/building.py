"""From what code registers and what the table says to the snapshot that is served."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from mcp_transport.engine.catalogue import ANNOUNCED, KINDS, Snapshot
from mcp_transport.engine.changes import ListKind
from mcp_transport.engine.entry import Entry, Kind
from tools_app.catalogue.entry import CatalogueEntry, Visibility
from tools_app.catalogue.overriding import overridden
from tools_app.kinds.kind import Lookup, Made
from tools_app.kinds.registry import entry_kinds

logger = logging.getLogger(__name__)

Place = tuple[Kind, str]


@dataclass(frozen=True, slots=True)
class Read:
    """The rows as they are at a number of the catalogue, or at a later one."""

    number: int
    rows: tuple[CatalogueEntry, ...]


@dataclass(frozen=True, slots=True)
class Built:
    """A snapshot, the rows that it was made of, and why some of these are not in it:
    by their primary keys, in words.

    ``look_up`` finds what of it is the code's.
    """

    snapshot: Snapshot
    rows: tuple[CatalogueEntry, ...]
    broken: Mapping[int, str]
    look_up: Lookup


def build(read: Read, code: Iterable[Entry]) -> Built:
    """Serve what code registers, unless a row says else, and what was made here."""
    building = _Building({place(row): row for row in read.rows})
    registered = {(entry.kind, entry.key): entry for entry in code}
    for where, entry in registered.items():
        building.add_code(where, entry)
    look_up = building.look_up()
    for row in read.rows:
        if row.enabled and not row.is_from_code:
            building.add_made(row, place(row) in registered, look_up)
    unlisted = {
        place(row) for row in read.rows if row.visibility == Visibility.UNLISTED
    }
    snapshot = Snapshot(read.number, building.entries, unlisted)
    return Built(snapshot, read.rows, building.broken, look_up)


class _Building:
    def __init__(self, rows: Mapping[Place, CatalogueEntry]) -> None:
        self._rows = rows
        self.entries: dict[Kind, dict[str, Entry]] = {kind: {} for kind in KINDS}
        self.broken: dict[int, str] = {}

    def add_code(self, where: Place, entry: Entry) -> None:
        row = self._rows.get(where)
        if row is None or not row.is_from_code:
            self.entries[entry.kind][entry.key] = entry
        elif row.enabled:
            self._put(row, lambda: overridden(entry, row))

    def add_made(self, row: CatalogueEntry, taken: bool, look_up: Lookup) -> None:
        if taken:
            self.broken[row.pk] = "Code registers an entry of this name."
        else:
            self._put(row, lambda: made(row, look_up))

    def look_up(self) -> Lookup:
        """Return what finds the entries that are there now: what is made of others
        is not made of what is made.
        """
        known = {kind: dict(self.entries[kind]) for kind in KINDS}
        return lambda kind, key: known[kind].get(key)

    def _put(self, row: CatalogueEntry, entry: Callable[[], Entry]) -> None:
        """Add an entry, or say why not: the others are to be served."""
        kind, key = place(row)
        built = attempt(row, entry)
        if isinstance(built, str):
            self.broken[row.pk] = built
        else:
            self.entries[kind][key] = built


def attempt(row: CatalogueEntry, entry: Callable[[], Entry]) -> Entry | str:
    """Return the entry that a row is; or, in plain words, why it is none."""
    try:
        return entry()
    except ValueError as error:
        return str(error)
    except Exception:
        logger.exception("The entry %s of %s cannot be built.", row.key, row.kind)
        return "It failed in a way that is in the log."


def place(row: CatalogueEntry) -> Place:
    return cast(Kind, row.kind), row.key


def made(row: CatalogueEntry, look_up: Lookup) -> Entry:
    """Return the entry that a row without code is.

    Raises ValueError, in plain words, where it is none.
    """
    kind = entry_kinds().get(row.source)
    if kind is None:
        raise ValueError(f'There is no kind of entry "{row.source}" any more.')
    entry = kind.build(Made(row.key, row.title, row.description, row.spec, look_up))
    if (entry.kind, entry.key) != place(row):
        raise ValueError(
            f'The kind "{row.source}" makes {entry.key!r} in {entry.kind} of it.'
        )
    return overridden(entry, row)


def changed_lists(old: Snapshot, new: Snapshot) -> list[ListKind]:
    """Return the lists that are not the same to everybody as they were."""
    changed = [ANNOUNCED[kind] for kind in KINDS if not _same_list(old, new, kind)]
    return list(dict.fromkeys(changed))


def _same_list(old: Snapshot, new: Snapshot, kind: Kind) -> bool:
    before, after = old.listed(kind), new.listed(kind)
    return len(before) == len(after) and all(map(_same, before, after))


def _same(one: Entry, other: Entry) -> bool:
    return one is other or (
        (one.key, one.scope, one.permission)
        == (other.key, other.scope, other.permission)
        and one.to_json() == other.to_json()
    )
