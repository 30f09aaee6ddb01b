"""T20: no schema and no arguments cost more than a moment, and nothing is fetched."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tests.faults.verdict import ms, percentile, require
from tests.security import doors
from tests.security.bombs import BOMBS, Bomb, references
from tests.security.doors import Json, Sent, Streamable
from tests.security.fuzz import CLAIMS, mirrored
from tests.serving import HOST, daphnes

APPLICATION = "tests.security.target.asgi:lean"
# Once, when a process starts, and by nobody's will but its own developers'.
REGISTERED_S = 2


@dataclass(frozen=True, kw_only=True)
class Size:
    """Each bomb that no registration refuses is sent ``times`` times. A call, from
    the first byte of its body on, may cost the server's process ``cpu_s``: half of
    its calls at least, since a machine that is busy works slower for everybody.
    """

    times: int
    cpu_s: float


SMALL = Size(times=3, cpu_s=0.3)
FULL = Size(times=20, cpu_s=0.1)


@dataclass
class Listener:
    """A server that nobody may ask. ``hits`` counts who did."""

    url: str = ""
    hits: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def __call__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.hits += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    """Listen, and see in the end that whoever asked would have been counted."""
    listener = Listener()
    async with await asyncio.start_server(listener, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        listener.url = f"http://{HOST}:{port}/schema"
        yield listener
        hits = listener.hits
        reader, writer = await asyncio.open_connection(HOST, port)
        await reader.read()
        writer.close()
        require(listener.hits == hits + 1, "the listener counts nobody")


class Target:
    """The server, one call after another."""

    def __init__(self, door: Streamable) -> None:
        self._door = door
        self._ids: Iterator[int] = count(1)

    async def call(self, tool: str, arguments: bytes = b"{}") -> Json:
        """Return the answer to a call. Raises Failed for a failure of the server."""
        params = {"name": tool, "arguments": "HERE", "_meta": CLAIMS}
        message = {"jsonrpc": "2.0", "id": next(self._ids), "method": "tools/call"}
        message["params"] = params
        body = json.dumps(message).encode().replace(b'"HERE"', arguments)
        (answer,) = await self._door.ask(Sent(body, headers=mirrored(message) or {}))
        return answer

    async def value(self, tool: str) -> Any:
        answer = await self.call(tool)
        return answer["result"]["structuredContent"]


async def run(size: Size, directory: Path) -> str:
    async with listening() as listener:
        environ = {
            "DJANGO_SETTINGS_MODULE": "tests.security.target.settings",
            "SECURITY_CATALOGUE": "tests.security.target.bombs.shelf",
            "SECURITY_LISTENER": listener.url,
        }
        bombs = [*BOMBS, *references(listener.url)]
        with daphnes(1, APPLICATION, directory, environ=environ) as (served,):
            async with doors.stateless(served) as door:
                target = Target(door)
                registering_s = await _registered(target, bombs)
                costs: dict[str, list[float]] = defaultdict(list)
                for _ in range(size.times):
                    for number, bomb in enumerate(bombs):
                        if not bomb.refused:
                            took_s = await _dropped(target, f"bomb_{number}", bomb)
                            costs[bomb.what].append(took_s)
                asked = await target.call("ask")
                require(asked["result"]["isError"], f"it asked: {asked}")
            said = served.said()
            require(said.count("Traceback") == 1, "a tool but the one that asks failed")
        require(listener.hits == 0, f"the listener was asked {listener.hits} times")
    usual = {what: percentile(took_s, 50) for what, took_s in costs.items()}
    for what, took_s in usual.items():
        require(took_s <= size.cpu_s, f"{what}: calls take {ms(took_s)}")
    worst = max(usual, key=lambda what: usual[what])
    refused = sum(bomb.refused for bomb in bombs)
    every = [took_s for several in costs.values() for took_s in several]
    return (
        f"{len(bombs)} bombs: {refused} refused at registration, which took at most "
        f"{ms(registering_s)}; {len(every)} calls of the others: of the process's time "
        f"they took {ms(percentile(every, 50))} at p50, the worst of them "
        f"({worst}) {ms(usual[worst])}, and no call ever more than {ms(max(every))}; "
        f"nobody asked the listener"
    )


async def _registered(target: Target, bombs: list[Bomb]) -> float:
    """Return the seconds of the longest registration. Raises Failed."""
    found = await target.value("registrations")
    for bomb in bombs:
        took_s, refusal = found[bomb.what]
        require(bool(refusal) is bomb.refused, f"{bomb.what}: refused: {refusal!r}")
        require(took_s <= REGISTERED_S, f"{bomb.what}: registered in {ms(took_s)}")
    longest: float = max(took_s for took_s, _ in found.values())
    return longest


async def _dropped(target: Target, tool: str, bomb: Bomb) -> float:
    """Return the seconds that a call cost. Raises Failed."""
    before = await target.value("cpu_s")
    answer = await target.call(tool, bomb.sent)
    after = await target.value("cpu_s")
    require(
        "error" in answer or "content" in answer["result"], f"{bomb.what}: {answer}"
    )
    took_s: float = after - before
    return took_s
