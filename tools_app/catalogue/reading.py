"""A thread that reads the catalogue's rows when they change, and looks after them.

A process that hears of a change reads at once. Where nobody tells, it looks at the
number of the catalogue every few seconds, whether anybody calls or not: somebody may
be listening.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

from django.db import DatabaseError, connections, router

from mcp_transport.connections import closing_old_connections
from tools_app.catalogue.building import Read
from tools_app.catalogue.entry import CatalogueEntry
from tools_app.catalogue.version import CatalogueVersion

logger = logging.getLogger(__name__)

# What changes is seen within five seconds: the rest is for the reading.
POLL_S = 4.0
# For how long a list waits for a reading that was asked for, and whoever is the
# first to be served in a process.
PATIENCE_S = 1.0
FIRST_PATIENCE_S = 10.0


def read(known: int | None) -> Read | None:
    """Return the rows, None where the catalogue is still at the number ``known``.

    Raises DatabaseError.
    """
    # A replica that lags would show again what was just switched off.
    using = router.db_for_write(CatalogueEntry)
    # The number first: what is committed between the two is read again.
    number = CatalogueVersion.objects.number(using)
    if number == known:
        return None
    return Read(number, tuple(CatalogueEntry.objects.using(using)))


def is_migrated() -> bool:
    """Tell whether the tables are there. Raises DatabaseError."""
    using = router.db_for_write(CatalogueEntry)
    there = set(connections[using].introspection.table_names())
    return {m._meta.db_table for m in (CatalogueEntry, CatalogueVersion)} <= there


class Reader:
    """Runs ``look`` on its own thread: when asked to, and every ``every_s`` seconds.

    ``look`` belongs to an object that the thread does not keep alive, and may raise
    DatabaseError. No connection outlives a look: one that is held for a query every
    few seconds is one that somebody else lacks.
    """

    def __init__(self, look: Callable[[], None], every_s: float) -> None:
        self._look = weakref.WeakMethod(look)
        self._every_s = every_s
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._asked: Future[None] | None = None
        self._answering: Future[None] | None = None
        self._failed = False
        self._closed = False
        weakref.finalize(look.__self__, self._wake.set)  # type: ignore[attr-defined]

    def start(self) -> None:
        """Begin to look. May be called again."""
        with self._lock:
            if self._thread is None and not self._closed:
                # A daemon: no process goes on for its sake.
                self._thread = threading.Thread(
                    target=self._run, name="mcp-catalogue", daemon=True
                )
                self._thread.start()

    def ask(self) -> Future[None]:
        """Look soon. What comes back has its result once that was done, or failed."""
        with self._lock:
            if self._asked is None:
                self._asked = Future()
            asked = self._asked
        self.start()
        self._wake.set()
        return asked

    @property
    def pending(self) -> Future[None] | None:
        """The look that was asked for and is not over, if there is one."""
        return self._asked or self._answering

    async def settled(self, patience_s: float = PATIENCE_S) -> None:
        """Wait for the look that was asked for, but no longer than that."""
        pending = self.pending
        if pending is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await asyncio.shield(asyncio.wrap_future(pending))

    def close(self) -> None:
        """End the thread, for good."""
        self._closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            self._wake.wait(self._every_s)
            self._wake.clear()
            look = self._look()
            if self._closed or look is None:
                return
            with self._lock:
                # In this order, so that a pending one is always seen.
                self._answering = self._asked
                asked, self._asked = self._asked, None
            try:
                self._attempt(look)
            finally:
                del look
                self._answering = None
                if asked is not None:
                    asked.set_result(None)

    def _attempt(self, look: Callable[[], None]) -> None:
        try:
            with closing_old_connections():
                look()
        except DatabaseError:
            # Every few seconds, so only the first is told.
            if not self._failed:
                logger.exception("The catalogue cannot be read; it stays as it is.")
            self._failed = True
        except Exception:
            logger.exception("The catalogue could not be looked after.")
        else:
            if self._failed:
                logger.warning("The catalogue can be read again.")
            self._failed = False
        finally:
            connections.close_all()
