"""One process without Redis, and what it has noted."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.servers import Served
from tests.faults.cluster import FAILED
from tests.faults.invariants import of
from tests.faults.journal import Entry, entries
from tests.faults.verdict import require
from tests.serving import daphnes

APPLICATION = "tests.faults.served.noting:application"


class Noted:
    def __init__(self, served: Served, notes: Path) -> None:
        self.served = served
        self._notes = notes

    @property
    def port(self) -> int:
        return self.served.port

    @property
    def pid(self) -> int:
        return self.served.pid

    def notes(self) -> list[Entry]:
        return entries(self._notes) if self._notes.exists() else []

    def ran(self) -> Counter[str]:
        """Return how often each call had its effect."""
        return Counter(entry["call"] for entry in of(self.notes(), "ran"))

    def arrived(self) -> list[str]:
        """Return the paths of all requests that the application was given."""
        return [entry["path"] for entry in of(self.notes(), "arrived")]

    def crashed(self) -> list[str]:
        """Return whether it has ended, and what it says has failed."""
        ended = [] if self.served.process.poll() is None else [str(self.served)]
        said = self.served.said()
        tracebacks = ["a traceback"] * said.count("Traceback")
        return ended + tracebacks + FAILED.findall(said)


@asynccontextmanager
async def noted(directory: Path, *options: str) -> AsyncIterator[Noted]:
    """Run one process with its files in ``directory``, which is made; ``options`` are
    the server's. It must not have crashed at the end: raises Failed.
    """
    directory.mkdir(parents=True)  # noqa: ASYNC240 - before anything runs
    notes = directory / "notes.jsonl"
    environ = {
        "DJANGO_SETTINGS_MODULE": "tests.faults.served.settings",
        "FAULTS_JOURNAL": str(notes),
        "FAULTS_STORE": "memory",
    }
    options = (f"--access-log={os.devnull}", *options)
    serving = daphnes(1, APPLICATION, directory, environ=environ, options=options)
    with serving as (served,):
        running = Noted(served, notes)
        yield running
        require(not running.crashed(), f"crashed: {running.crashed()}")
