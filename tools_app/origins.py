"""The origins that administrators allow, for every door.

Named in the settings: ``MCP["ORIGINS"] = "tools_app.origins.AdminOrigins"``. They
are allowed beside those of ``MCP["ALLOWED_ORIGINS"]``. What was read is kept for at
most five seconds; a change made in this process acts when its transaction commits.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import router, transaction
from django.db.models.signals import post_delete, post_save

from mcp_transport.connections import closing_old_connections
from tools_app.allowed_origin import AllowedOrigin

FRESH_S = 5.0


class AdminOrigins:
    """A snapshot of the table; one for any number of loops.

    ``clock`` gives monotonic seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: frozenset[str] = frozenset()
        self._fresh_until_s = float("-inf")
        self._reading: Future[frozenset[str]] | None = None
        self._changes = 0
        # Guards the four above. A hit only reads, and goes without.
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mcp-origins")
        for signal in (post_save, post_delete):
            signal.connect(self._changed, sender=AllowedOrigin)

    async def current(self) -> frozenset[str]:
        """Return the origins that are allowed. Does not suspend while it knows them.

        Raises:
            DatabaseError: they could not be read, so that nobody is let in by them.
        """
        if self._clock() < self._fresh_until_s:
            return self._known
        # Others wait for the same: one who gives up must not end it.
        return await asyncio.shield(asyncio.wrap_future(self._read()))

    def _read(self) -> Future[frozenset[str]]:
        """Return the reading that is under way, or begin one."""
        with self._lock:
            if self._reading is None or self._reading.done():
                self._reading = self._thread.submit(self._renew, self._changes)
            return self._reading

    def _renew(self, changes: int) -> frozenset[str]:
        asked_at_s = self._clock()
        origins = _allowed()
        with self._lock:
            # What was read before a change is good for those who asked before it.
            if changes == self._changes:
                self._known, self._fresh_until_s = origins, asked_at_s + FRESH_S
        return origins

    def _changed(self, using: str, **_: object) -> None:
        transaction.on_commit(self._forget, using=using)

    def _forget(self) -> None:
        with self._lock:
            self._changes += 1
            self._reading = None
            self._fresh_until_s = float("-inf")


def _allowed() -> frozenset[str]:
    with closing_old_connections():
        # A replica that lags would let a page in that was just shut out.
        origins = AllowedOrigin.objects.using(router.db_for_write(AllowedOrigin))
        return frozenset(origins.values_list("origin", flat=True))
