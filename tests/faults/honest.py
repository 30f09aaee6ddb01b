"""An honest client, which goes on calling while others attack."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.faults.connection import Connection, Lost
from tests.faults.requests import stateless
from tests.faults.verdict import ms, percentile, require
from tests.wire.tokens import BOB

# Bounds are kept for each address and each token: it shares neither with them.
ADDRESS = "127.0.0.9"
APART_S = 0.1


@dataclass(slots=True)
class Probe:
    """What became of its calls: how long each took, and what went wrong."""

    took_s: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def require_served(self, p99_s: float) -> None:
        """I6: not one error, and 99 of 100 calls within ``p99_s``. Raises Failed."""
        require(not self.errors, f"the probe met with {dict(self.errors)}")
        took_s = percentile(self.took_s, 99)
        require(took_s <= p99_s, f"the probe's calls took {ms(took_s)} at p99")

    def __str__(self) -> str:
        p50, p99 = (ms(percentile(self.took_s, percent)) for percent in (50, 99))
        return (
            f"{len(self.took_s)} calls of an honest client without an error, "
            f"p50 {p50}, p99 {p99}"
        )

    async def call(self, port: int) -> None:
        message, headers = stateless("echo", "probe", {"text": "here"})
        headers = {**headers, "Authorization": f"Bearer {BOB}"}
        began, connection = time.monotonic(), Connection(ADDRESS)
        try:
            await connection.ask(port, "POST", headers, json.dumps(message).encode())
            body = await connection.whole()
        except (Lost, TimeoutError) as error:
            self.errors[f"{type(error).__name__} {error}".strip()] += 1
        else:
            self.took_s.append(time.monotonic() - began)
            if connection.status != 200 or b'"text":"here"' not in body:
                self.errors[f"{connection.status} {body[:100]!r}"] += 1


@asynccontextmanager
async def probing(port: int) -> AsyncIterator[Probe]:
    """Call ten times a second, however long the calls before it take. Leaving waits
    until the last one has ended.
    """
    probe = Probe()
    async with asyncio.TaskGroup() as group:
        calling = group.create_task(_call(port, probe, group))
        try:
            yield probe
        finally:
            calling.cancel()


async def _call(port: int, probe: Probe, group: asyncio.TaskGroup) -> None:
    while True:
        group.create_task(probe.call(port))
        await asyncio.sleep(APART_S)
