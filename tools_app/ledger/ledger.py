"""The observer that keeps the ledger, off the way of the calls."""

from __future__ import annotations

import asyncio
import atexit
import logging
import threading
import time
from collections import deque

from django.db import connections, router

from mcp_transport.connections import closing_old_connections
from mcp_transport.engine.observing import Observer, ServedRequest
from mcp_transport.monitoring.gauges import register_gauge
from tools_app.call import NAMED_BY, Call
from tools_app.ledger.dialects import dialect_of
from tools_app.ledger.options import get_options
from tools_app.ledger.record import Record, recorded
from tools_app.ledger.redaction import Redaction
from tools_app.ledger.writing import write

MAX_ROWS = 50_000
BATCH_ROWS = 500
# How long calls are gathered before they are written.
WRITE_EVERY_S = 0.5
# How long a database that takes nothing is left alone, at first and at most.
RETRY_S = 0.5
MAX_RETRY_S = 30.0
# How long the end of the process may wait for a database that takes nothing.
FLUSH_S = 3.0

logger = logging.getLogger("tools_app.ledger")


class Ledger(Observer):
    """Keeps a row of each call; named in ``MCP["OBSERVERS"]``.

    A call costs the making of its row in memory. One thread writes the rows, in
    batches. While the database takes none they wait, at most ``MAX_ROWS``; beyond
    that the oldest are dropped. ``dropped`` says how many were, or could not be
    written at all; ``depth`` how many wait.
    """

    def __init__(self) -> None:
        """Raises ImproperlyConfigured for wrong settings, and for a database of a
        vendor that cannot count.
        """
        options = get_options()
        dialect_of(connections[router.db_for_write(Call)].vendor)
        self.dropped = 0
        self._redaction = Redaction(options.redact, options.max_arguments_bytes)
        self._records: deque[Record] = deque()
        self._batch: list[Record] = []
        self._failed = False
        # Guards the two above, and the right to take records.
        self._writing = threading.Lock()
        self._told_of_dropped = 0
        self._filled = threading.Event()
        self._closing = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        register_gauge(
            "mcp_ledger_depth",
            "Calls that wait to be written into the ledger.",
            lambda: self.depth,
        )
        register_gauge(
            "mcp_ledger_dropped",
            "Calls that the ledger has lost since the process began.",
            lambda: self.dropped,
        )

    @property
    def depth(self) -> int:
        return len(self._records) + len(self._batch)

    def request_served(self, request: ServedRequest) -> None:
        """Put a call into the queue. Any thread may call it."""
        if request.method not in NAMED_BY:
            return
        self._records.append(recorded(request, self._redaction))
        if len(self._records) > MAX_ROWS:
            self._records.popleft()
            self.dropped += 1
        if not self._filled.is_set():
            self._filled.set()
        if self._thread is None:
            self._start()

    async def drain(self) -> None:
        """Write what there is, as ``flush`` does."""
        if self.depth:
            await asyncio.to_thread(self.flush)

    def flush(self, within_s: float = FLUSH_S) -> bool:
        """Write what there is. Give up, and say so in the log, where the database
        takes nothing for ``within_s``; then return False.
        """
        ends_at_s = time.monotonic() + within_s
        while not self._write(max(0.0, ends_at_s - time.monotonic())):
            if time.monotonic() >= ends_at_s:
                logger.error(
                    "%d calls are not in the ledger: the database takes none",
                    self.depth,
                )
                return False
            time.sleep(min(RETRY_S, within_s))
        return True

    def close(self) -> None:
        """Write what there is and end the thread."""
        atexit.unregister(self.close)
        self._closing.set()
        self._filled.set()
        if self.depth:
            self.flush()

    def _start(self) -> None:
        with self._starting:
            if self._thread is not None or self._closing.is_set():
                return
            # Where nobody calls drain, as under a stock server, the end of Python
            # does. It would wait for a thread that is no daemon, which waits for it.
            atexit.register(self.close)
            self._thread = threading.Thread(
                target=self._run, name="mcp-ledger", daemon=True
            )
            self._thread.start()

    def _run(self) -> None:
        """Write until the ledger is closed."""
        wait_s = WRITE_EVERY_S
        while True:
            self._filled.wait()
            if self._closing.wait(wait_s):
                return
            self._filled.clear()
            if self._write():
                wait_s = WRITE_EVERY_S
            else:
                self._filled.set()
                wait_s = min(max(2 * wait_s, RETRY_S), MAX_RETRY_S)

    def _write(self, patience_s: float = -1) -> bool:
        """Write batch after batch; False, with the rest kept, when one fails, or when
        another thread writes for longer than ``patience_s``, unless that is -1.
        """
        if not self._writing.acquire(timeout=patience_s):
            return False
        try:
            with closing_old_connections():
                while self._take():
                    self._write_batch()
        except Exception:
            # Whatever it is, it is not the end of the ledger.
            self._tell_of_failure()
            return False
        finally:
            self._writing.release()
        return True

    def _write_batch(self) -> None:
        self.dropped += write(self._batch, perhaps_written=self._failed)
        self._batch = []
        if self._failed:
            self._failed = False
            logger.warning("The ledger is written again.")

    def _take(self) -> bool:
        """Fill the batch, unless one is left that failed; False for nothing to do."""
        if not self._batch:
            count = min(BATCH_ROWS, len(self._records))
            self._batch = [self._records.popleft() for _ in range(count)]
        return bool(self._batch)

    def _tell_of_failure(self) -> None:
        if not self._failed:
            self._failed = True
            logger.exception(
                "The ledger cannot be written. Up to %d calls wait in memory.", MAX_ROWS
            )
        if self.dropped > self._told_of_dropped:
            self._told_of_dropped = self.dropped
            logger.error("%d calls were dropped from the ledger.", self.dropped)
