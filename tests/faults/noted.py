"""One process without Redis, and what it has noted."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.servers import Served
from tests.faults.exposed import require_sound
from tests.faults.invariants import of
from tests.faults.journal import Entry, entries
from tests.serving import mcp_serves

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


@asynccontextmanager
async def noted(directory: Path, *options: str) -> AsyncIterator[Noted]:
    """Run one process with its files in ``directory``, which is made; ``options`` are
    the server's. It must not have failed at anything: raises Failed.
    """
    directory.mkdir(parents=True)  # noqa: ASYNC240 - before anything runs
    notes = directory / "notes.jsonl"
    environ = {
        "DJANGO_SETTINGS_MODULE": "tests.faults.served.settings",
        "FAULTS_JOURNAL": str(notes),
        "FAULTS_STORE": "memory",
    }
    options = (f"--access-log={os.devnull}", *options)
    serving = mcp_serves(1, APPLICATION, directory, environ=environ, options=options)
    with serving as (served,):
        running = Noted(served, notes)
        yield running
        require_sound(served)
