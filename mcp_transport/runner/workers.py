"""Several processes that serve one socket, and the parent that sees to them.

Each worker runs the parent's own command line again: a process that was started
afresh shares nothing with the others but the socket. It learns what it is by an
environment variable, and that it is to end by the end of a pipe, also when the
parent was killed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable

from django.utils.autoreload import get_child_arguments

from mcp_transport.runner.options import Options

logger = logging.getLogger("mcp_transport.runner")

VARIABLE = "MCP_SERVE_WORKER"
WATCHED = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
# A worker that lived for less was not well: the next one waits for twice as long.
HEALTHY_S = 10.0
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
# What workers have beyond their grace.
LATE_S = 3.0


def role() -> tuple[int, int] | None:
    """Return the descriptors of the socket and of the pipe, in a worker. The
    variable is taken away: what a tool starts is no worker.
    """
    said = os.environ.pop(VARIABLE, None)
    if said is None:
        return None
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)  # as the parent has them
    listener, pipe = map(int, said.split(","))
    return listener, pipe


class Worker:
    """The place of one worker, and who has it."""

    def __init__(self, listener: socket.socket, pipe: int) -> None:
        self._fds = (listener.fileno(), pipe)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._pause_s = 0.0
        self.due_at = 0.0

    @property
    def runs(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        self._started_at = time.monotonic()
        self._process = subprocess.Popen(
            get_child_arguments(),
            env={**os.environ, VARIABLE: ",".join(map(str, self._fds))},
            pass_fds=self._fds,
        )

    def look(self) -> None:
        """See whether it has ended, and when the next one is due."""
        if self._process is None or self._process.poll() is None:
            return
        status, pid = self._process.returncode, self._process.pid
        self._process = None
        now = time.monotonic()
        if now - self._started_at >= HEALTHY_S:
            self._pause_s = 0.0
        else:
            self._pause_s = min(max(FIRST_PAUSE_S, 2 * self._pause_s), LONGEST_PAUSE_S)
        self.due_at = now + self._pause_s
        logger.warning("worker %d ended with status %d", pid, status)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def supervise(listener: socket.socket, options: Options) -> None:
    """Keep the workers running until a signal comes; then let them end."""
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    hears, says = os.pipe()
    workers = [Worker(listener, hears) for _ in range(options.workers)]
    try:
        _keep(workers)
    finally:
        listener.close()
        os.close(says)
        _wait(workers, options.grace_s + LATE_S)
        os.close(hears)


def _keep(workers: Iterable[Worker]) -> None:
    """Start each worker that is due, until a signal other than SIGCHLD comes."""
    while True:
        now = time.monotonic()
        for worker in workers:
            worker.look()
            if not worker.runs and worker.due_at <= now:
                worker.start()
        waits = [w.due_at - time.monotonic() for w in workers if not w.runs]
        told = signal.sigtimedwait(WATCHED, max(0.0, min(waits, default=60.0)))
        if told is not None and told.si_signo != signal.SIGCHLD:
            return


def _wait(workers: Iterable[Worker], patience_s: float) -> None:
    """Wait for the workers to end; after ``patience_s``, or when told once more, end
    them.
    """
    ends_at = time.monotonic() + patience_s
    while any(worker.runs for worker in workers):
        left_s = ends_at - time.monotonic()
        told = signal.sigtimedwait(WATCHED, max(0.0, left_s))
        if told is None or told.si_signo != signal.SIGCHLD:
            break
        for worker in workers:
            worker.look()
    for worker in workers:
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
