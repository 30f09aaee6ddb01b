"""The catalogue that is served where administrators steer it."""

from __future__ import annotations

import logging
import threading
import weakref
from typing import Any, ClassVar

from django.db import DatabaseError

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.catalogue import Page, Shelf, Snapshot, Watcher, catalogue
from mcp_transport.engine.changes import ListKind
from mcp_transport.engine.entry import Kind
from mcp_transport.engine.store import StoreUnavailable
from tools_app.catalogue.building import Built, Read, build, changed_lists
from tools_app.catalogue.reading import (
    FIRST_PATIENCE_S,
    POLL_S,
    Reader,
    is_migrated,
    read,
)
from tools_app.catalogue.sync import sync
from tools_app.catalogue.version import committed

logger = logging.getLogger(__name__)


class AdminCatalogue:
    """What code registers, as the table has it, and what was made in the admin.

    Named in the settings: ``MCP["CATALOGUE"] = "tools_app.catalogue.AdminCatalogue"``.
    A project that fills a shelf of its own names a subclass which has it as
    ``shelf``; ``poll_s`` is how often it looks for changes of which nobody tells.

    Each process holds a snapshot, so that a call asks no database. It is made anew
    when rows change, and whoever listens is told where a list did.
    """

    shelf: ClassVar[Shelf] = catalogue
    poll_s: ClassVar[float] = POLL_S

    def __init__(self) -> None:
        self._watchers: list[Watcher] = []
        self._built: Built | None = None
        self._read: Read | None = None
        # Guards the two above; held from before a reading until it is served.
        self._lock = threading.RLock()
        # Whether the rows, and what is served, are behind what code registers.
        self._unsynced = self._stale = True
        self._reader = Reader(self._look, self.poll_s)
        committed.connect(self._committed)
        shelf_changed = weakref.WeakMethod(self._shelf_changed)

        def tell(kind: ListKind) -> None:
            # The shelf lives on, and keeps none of those that it served.
            changed = shelf_changed()
            if changed is not None:
                changed()

        self.shelf.watch(tell)

    # The Catalogue protocol.

    async def page(
        self, kind: Kind, caller: Caller, after: str | None, limit: int
    ) -> Page:
        if self._reader.pending is not None:
            await self._reader.settled()
        snapshot = self._built.snapshot if self._built else await self._first()
        return snapshot.view(caller).page(kind, after, limit)

    async def find(self, kind: Kind, key: str, caller: Caller) -> Any:
        snapshot = self._built.snapshot if self._built else await self._first()
        return snapshot.find(kind, key, caller)

    def watch(self, watcher: Watcher) -> None:
        self._watchers.append(watcher)
        self._reader.start()

    def renew(self) -> None:
        self._reader.ask()

    # Besides.

    def current(self) -> Built:
        """Return what is served as of now. Asks the database for its number.

        Raises DatabaseError.
        """
        self._renew()
        assert self._built is not None
        return self._built

    def close(self) -> None:
        """Look after the rows no more."""
        committed.disconnect(self._committed)
        self._reader.close()

    async def _first(self) -> Snapshot:
        """Return the first snapshot.

        Raises StoreUnavailable where nobody can say what is switched off.
        """
        self._reader.ask()
        await self._reader.settled(FIRST_PATIENCE_S)
        if self._built is None:
            raise StoreUnavailable
        return self._built.snapshot

    def _look(self) -> None:
        try:
            self._renew()
        except DatabaseError as error:
            self._do_without(error)
        else:
            self._sync()

    def _do_without(self, error: DatabaseError) -> None:
        """Serve what code registers where nothing was ever said of it.

        Raises ``error`` where that is not so.
        """
        if is_migrated() or (self._read is not None and self._read.number):
            raise error
        if self._read is None:
            logger.warning(
                "The catalogue's tables are missing, so that all entries are served as "
                "their code has them. Make them with: manage.py migrate"
            )
        if self._read is None or self._stale:
            self._take(Read(0, ()))

    def _sync(self) -> None:
        if not self._unsynced:
            return
        self._unsynced = False
        try:
            sync(self.shelf.entries())
        except DatabaseError as error:
            # Such as one that only reads at the moment: what it has is served.
            logger.warning(
                "The catalogue's rows could not be brought up to the code: %s", error
            )

    def _renew(self) -> None:
        with self._lock:
            new = read(None if self._read is None else self._read.number)
            if new is not None:
                self._take(new)
            elif self._stale and self._read is not None:
                self._take(self._read)

    def _take(self, new: Read) -> None:
        """Serve what was read, then tell where lists changed by it."""
        with self._lock:
            before, self._stale, self._read = self._built, False, new
            self._built = self._made(new)
            if before is None:
                return
            # What code did in this process, the others do not know of.
            number = new.number if new.number != before.snapshot.number else None
            for kind in changed_lists(before.snapshot, self._built.snapshot):
                for watcher in self._watchers:
                    watcher(kind, number)

    def _made(self, rows: Read) -> Built:
        built = build(rows, self.shelf.entries())
        known = self._built.broken if self._built else {}
        for row in rows.rows:
            reason = built.broken.get(row.pk)
            if reason is not None and reason != known.get(row.pk):
                logger.warning("%s of %s is not served: %s", row.key, row.kind, reason)
        return built

    def _committed(self, **_: object) -> None:
        """Rows were changed in this process: who changed them sees them served."""
        if self._built is None:
            return
        try:
            self._renew()
        except DatabaseError:
            logger.exception("The catalogue cannot be read after a change.")
            self._reader.ask()

    def _shelf_changed(self) -> None:
        """Code has changed what it registers, in this process alone."""
        self._unsynced = self._stale = True
        if self._built is not None:
            self._reader.ask()
