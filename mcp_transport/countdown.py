"""The end of a process that something may hold up."""

from __future__ import annotations

import logging
import os
import threading
import time
from queue import Empty, SimpleQueue

# How long handlers of logs have to write what they keep.
FLUSH_S = 0.2


class Countdown:
    """Ends this process, with status 0, some seconds after it was told to.

    A tool may hold its thread, and the end of Python waits for it; an async one
    may hold the loop. So a thread that waits for nothing else sees to it.
    """

    def __init__(self) -> None:
        self._begun: SimpleQueue[float] = SimpleQueue()
        threading.Thread(target=self._run, name="mcp-exit", daemon=True).start()

    def begin(self, seconds: float) -> None:
        """End the process ``seconds`` from now, or earlier if that was said before.

        Any thread may call it, more than once, and a handler of signals, which may
        have interrupted anything.
        """
        self._begun.put(time.monotonic() + seconds)

    def _run(self) -> None:
        ends_at = self._begun.get()
        while (left_s := ends_at - time.monotonic()) > 0:
            try:
                ends_at = min(ends_at, self._begun.get(timeout=left_s))
            except Empty:
                break
        # Not here: whoever was interrupted may hold the lock of a log.
        flushing = threading.Thread(target=logging.shutdown, daemon=True)
        flushing.start()
        flushing.join(FLUSH_S)
        os._exit(0)
