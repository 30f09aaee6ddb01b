"""Six hundred open streams on the lean mount: what they cost, and what they hear.

Stock daphne in a process of its own, whose threads and files the kernel counts.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from mcp_transport.protocol.framing import SSEDecoder
from tests.serving import Served, daphne
from tests.wire.client import MODERN, Client
from tests.wire.served.database import environ, prepare

STREAMS = 300  # of each kind
LEGACY = "2025-11-25"
BOUND_S = 30
# The pool of plain tools and the threads of the database fill up when first used.
MORE_THREADS = 4
# What is open for no stream: the connection that asks, and what just closes.
MORE_FILES = 4
CHANGED = "notifications/tools/list_changed"
QUERIES = ("count_users", "count_users_async")


class Census:
    """What one process holds."""

    def __init__(self, pid: int, database: Path) -> None:
        self._process = Path("/proc") / str(pid)
        self._database = str(database.resolve())

    @property
    def threads(self) -> int:
        status = (self._process / "status").read_text(encoding="ascii")
        found = re.search(r"^Threads:\t(\d+)$", status, re.MULTILINE)
        assert found is not None
        return int(found[1])

    def files(self) -> list[str]:
        found = []
        for link in (self._process / "fd").iterdir():
            try:
                found.append(os.readlink(link))
            except FileNotFoundError:
                continue  # closed meanwhile
        return found

    @property
    def databases(self) -> int:
        return self.files().count(self._database)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    database = tmp_path_factory.mktemp("streams") / "db.sqlite3"
    return database, prepare(database)


@pytest.fixture
def served(prepared: tuple[Path, str]) -> Iterator[Served]:
    database = prepared[0]
    application = "tests.wire.served.asgi:lean"
    log = database.with_name("daphne.log")
    with daphne(application, log, environ=environ(database)) as server:
        yield server
        assert "Traceback" not in server.said()
        assert "ERROR" not in server.said()


@pytest.fixture
async def http(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=1)
    async with httpx.AsyncClient(
        base_url=served.origin, limits=limits, timeout=BOUND_S
    ) as client:
        yield client
