"""Six hundred open streams on the lean mount: what they cost, and what they hear.

Stock daphne in a process of its own, whose threads and files the kernel counts.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from tests.serving import Served, daphne
from tests.wire.client import MODERN, Client, Reply
from tests.wire.served.database import environ, prepare

STREAMS = 300  # of each kind
LEGACY = "2025-11-25"
BOUND_S = 30
QUERIES = ("count_users", "count_users_async")
# What may differ from the idle process: a pool that grows by a thread, the
# connection that asks, the sockets that are just being closed.
SLACK = 4
CHANGED = "notifications/tools/list_changed"


class Kernel:
    """What the kernel says of one process."""

    def __init__(self, pid: int, database: Path) -> None:
        self._process = Path("/proc") / str(pid)
        self._database = str(database.resolve())

    @property
    def threads(self) -> int:
        status = (self._process / "status").read_text(encoding="utf-8")
        found = re.search(r"^Threads:\t(\d+)$", status, re.MULTILINE)
        assert found is not None
        return int(found[1])

    @property
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
        return self.files.count(self._database)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "db.sqlite3"


@pytest.fixture
def token(database: Path) -> str:
    return prepare(database)


@pytest.fixture
def served(database: Path, token: str) -> Iterator[Served]:
    application, log = "tests.wire.served.asgi:lean", database.with_name("daphne.log")
    with daphne(application, log, environ=environ(database)) as server:
        yield server
        said = server.said()
        assert "Traceback" not in said
        assert "ERROR" not in said
        assert token not in said


@pytest.fixture
async def http(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=1)
    async with httpx.AsyncClient(
        base_url=served.origin, limits=limits, timeout=BOUND_S
    ) as client:
        yield client


async def becomes_true(watch: Client, condition: Callable[[], bool]) -> None:
    """Wait, giving the server a call to serve each time; raises TimeoutError."""
    async with asyncio.timeout(BOUND_S):
        while not condition():
            await watch.call("echo")


async def sessions(
    http: httpx.AsyncClient, token: str, streams: AsyncExitStack
) -> list[Reply]:
    """Open the stream of each of so many sessions, all of which used the database."""
    replies = []
    for number in range(STREAMS):
        client = Client(http, LEGACY, token=token)
        await client.connect()
        assert await client.text(QUERIES[number % 2]) == "1"
        replies.append(await streams.enter_async_context(client.stream()))
    return replies


async def subscriptions(
    http: httpx.AsyncClient, token: str, streams: AsyncExitStack
) -> list[Reply]:
    replies = []
    for number in range(STREAMS):
        client = Client(http, MODERN, token=token)
        assert await client.text(QUERIES[number % 2]) == "1"
        wanted = {"notifications": {"toolsListChanged": True}}
        message = client.message("subscriptions/listen", wanted)
        reply = await streams.enter_async_context(client.open(message))
        acknowledged = await reply.message()
        assert acknowledged["params"]["notifications"] == wanted["notifications"]
        replies.append(reply)
    return replies


async def test_open_streams_hold_neither_threads_nor_connections(
    http: httpx.AsyncClient,
    token: str,
    database: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    watch = Client(http, MODERN, token=token)

    async def process() -> dict[str, int]:
        told: dict[str, int] = (await watch.call("process"))["structuredContent"]
        return told

    # Whoever holds a connection is seen to hold it.
    assert int(await watch.text("databases_open_meanwhile")) >= 1
    for query in QUERIES:
        assert await watch.text(query) == "1"
    idle = await process()
    kernel = Kernel(idle["pid"], database)
    await becomes_true(watch, lambda: kernel.databases == 0)
    threads, files = kernel.threads, len(kernel.files)

    async with AsyncExitStack() as streams:
        replies = await sessions(http, token, streams)
        replies += await subscriptions(http, token, streams)
        await becomes_true(watch, lambda: kernel.databases == 0)
        busy = await process()
        open_threads, open_files = kernel.threads, len(kernel.files)
        assert open_files >= len(replies)
        assert open_threads <= threads + SLACK
        assert busy["listeners"] >= idle["listeners"] + STREAMS

        await watch.call("change")
        said = await asyncio.gather(*[reply.message() for reply in replies])
        assert [message["method"] for message in said] == [CHANGED] * len(replies)
        assert kernel.threads <= threads + SLACK

    await becomes_true(watch, lambda: len(kernel.files) <= files + SLACK)
    await becomes_true(watch, lambda: kernel.databases == 0)
    async with asyncio.timeout(BOUND_S):
        while (free := await process())["tasks"] > idle["tasks"] + SLACK:
            continue
    # The sessions live on: together they listen once.
    assert free["listeners"] <= idle["listeners"] + 1
    with capsys.disabled():
        print(
            f"\n{len(replies)} open streams: {threads} threads before, "
            f"{open_threads} with them; 0 database connections; "
            f"{files} files before, {open_files} with them, "
            f"{len(kernel.files)} after"
        )
