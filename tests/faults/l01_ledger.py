"""L1: a process is told to end while calls run: each call that was answered has its
row in the ledger, and one only.
"""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path

from deploy.servers import Served
from tests.faults.connection import Lost
from tests.faults.holder import of
from tests.faults.requests import post, stateless
from tests.faults.tokens import Tokens
from tests.faults.verdict import require
from tests.serving import daphne, mcp_serve

APPLICATION = "tests.faults.served.alone:application"
SETTINGS = "tests.faults.served.ledger_settings"
CLIENTS = 16
# Of so many calls, one takes as long as the process has to end while it runs.
SLOW_EVERY = 20
SLOW_S = 0.3
ENDS_WITHIN_S = 40
RETRY_S = 0.05

SMALL = 400
FULL = 10_000

Serve = Callable[..., AbstractContextManager[Served]]


@dataclass
class Calls:
    """``sent`` and ``answered`` are what calls are known by; ``about`` is how many are
    to be answered in all.
    """

    about: int
    token: str
    ids: Iterator[int] = field(default_factory=itertools.count)
    sent: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    half: asyncio.Event = field(default_factory=asyncio.Event)

    async def make(self, served: Served) -> None:
        """Call until as many calls are answered as are to be."""
        while len(self.answered) < self.about:
            try:
                await self._call(served)
            except Lost:  # it is being started again
                await asyncio.sleep(RETRY_S)
            if 2 * len(self.answered) >= self.about:
                self.half.set()

    async def _call(self, served: Served) -> None:
        """Raises Lost."""
        number = next(self.ids)
        id = f"call{number}"
        pause_s = 0 if number % SLOW_EVERY else SLOW_S
        message, headers = stateless("work", id, {"call": id, "pause_s": pause_s})
        self.sent.add(id)
        reply = await post(served, message, of(self.token, headers))
        whole = await reply.whole()
        if reply.status == 200 and b'"result"' in whole:
            self.answered.add(id)


async def run(size: int, directory: Path) -> str:
    said = []
    for name, serve in {"mcp serve": mcp_serve, "stock daphne": daphne}.items():
        where = directory / name.replace(" ", "-")
        where.mkdir()
        said.append(f"{name}: {await _told_to_end(serve, size, where)}")
    return "; ".join(said)


async def _told_to_end(serve: Serve, size: int, directory: Path) -> str:
    tokens = Tokens(directory)
    await tokens.prepare()
    calls = Calls(size, (await tokens.issue(1))[0])
    environ = {
        **tokens.environ,
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "FAULTS_JOURNAL": str(directory / "effects.jsonl"),
    }
    log = directory / "served.log"
    with serve(APPLICATION, log, environ=environ) as served:
        async with asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(calls.make(served))
            await calls.half.wait()
            await _end(served)
            served.launch()
        await _end(served)
    require("Traceback" not in served.said(), f"it says {served.said()[-600:]}")
    return _compared(calls, Path(tokens.environ["FAULTS_DATABASE"]))


async def _end(served: Served) -> None:
    """Send SIGTERM, and wait for the end."""
    served.process.terminate()
    await asyncio.to_thread(served.process.wait, ENDS_WITHIN_S)


def _compared(calls: Calls, database: Path) -> str:
    """Hold the ledger against what the clients know. Raises Failed."""
    rows = _rows(database)
    lost, double = calls.answered - set(rows), [id for id in rows if rows[id] > 1]
    require(not lost, f"{len(lost)} of {len(calls.answered)} answered calls: no row")
    require(not double, f"{len(double)} calls have more rows than one")
    require(set(rows) <= calls.sent, "there are rows of calls that nobody made")
    return (
        f"{len(calls.answered)} calls were answered, the process told to end while "
        f"they ran: one row each; {len(calls.sent) - len(calls.answered)} had no "
        f"answer, and {rows.total() - len(calls.answered)} of those have a row"
    )


def _rows(database: Path) -> Counter[str]:
    """Return how many rows each call has, by what it is known by."""
    read = "SELECT json_extract(arguments, '$.call') FROM tools_app_call"
    with closing(sqlite3.connect(database)) as connection:
        return Counter(id for (id,) in connection.execute(read))
