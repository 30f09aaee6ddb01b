"""T31: whatever a client can decode and whatever lies between, each event comes at
once, and nothing is encoded twice.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.servers import Served
from mcp_transport.protocol.peer import LOG_LEVEL_KEY
from tests import peers
from tests.faults.verdict import ms, percentile, require
from tests.security.doors import POSTED, Json, encoded
from tests.security.eventstream import EventStream
from tests.security.fuzz import CLAIMS, mirrored
from tests.serving import daphnes, nginx

SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.security.target.settings"}
PROGRAMS = peers.ROOT / "tests" / "clients" / "programs"
CHUNK_BYTES = 65_536
BOUND_S = 120
AT_ONCE = 8
# Long enough that everybody who compresses would compress it.
TEXT = "said \u2028 once more, "
TIMES = 400


@dataclass(frozen=True, kw_only=True)
class Size:
    """Each client hears ``events``, ``apart_s`` from one another, and decodes each
    ``within_s`` of its being sent; from the endpoint under each of ``mounts``.
    """

    mounts: tuple[str, ...]
    events: int
    apart_s: float
    within_s: float


SMALL = Size(mounts=("urls",), events=3, apart_s=0.4, within_s=1)
FULL = Size(mounts=("urls", "lean"), events=40, apart_s=0.25, within_s=0.5)


@dataclass(frozen=True, slots=True)
class Client:
    """A program that posts, and prints what it has decoded as soon as it has."""

    name: str
    command: tuple[str | Path, ...]

    def posting(self, url: str, headers: Mapping[str, str]) -> list[str | Path]:
        if self.name != "curl":
            return [*self.command, url, json.dumps(headers)]
        lines = (f"{name}: {value}" for name, value in headers.items())
        return [
            *self.command,
            *(option for line in lines for option in ("-H", line)),
            url,
        ]


def clients() -> list[Client]:
    curl = ("curl", "-sSN", "--compressed", "--data-binary", "@-")
    python = peers.python("aiohttp")
    peers.environment("node")
    return [
        Client("httpx", (sys.executable, PROGRAMS / "post_httpx.py")),
        Client("aiohttp", (python, PROGRAMS / "post_aiohttp.py")),
        Client("fetch", ("node", PROGRAMS / "post_fetch.mjs")),
        Client("curl", curl),
    ]


@dataclass(frozen=True, slots=True)
class Combination:
    """A client, what it accepts, and whom it talks to."""

    client: Client
    gzip: bool
    served: Served
    what: str

    async def use(self, tool: str, **arguments: object) -> AsyncIterator[bytes]:
        """Call a tool; yield the decoded body piece by piece. Raises Failed."""
        meta = {**CLAIMS, LOG_LEVEL_KEY: "info"}
        params = {"name": tool, "arguments": arguments, "_meta": meta}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        accepted = {"Accept-Encoding": "gzip" if self.gzip else "identity"}
        headers = {**POSTED, **(mirrored(message) or {}), **accepted}
        process = await asyncio.create_subprocess_exec(
            *self.client.posting(self.served.url, headers),
            env=peers.surroundings(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(encoded(message))
        process.stdin.close()
        try:
            async with asyncio.timeout(BOUND_S):
                while piece := await process.stdout.read(CHUNK_BYTES):
                    yield piece
                said = await process.stderr.read()
                require(await process.wait() == 0, f"{self.what}: {said.decode()}")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def delays_s(self, size: Size) -> list[float]:
        """Return how long after its being sent each event was decoded."""
        stream, came_s, said = EventStream(), [], []
        arguments = {
            "count": size.events,
            "apart_s": size.apart_s,
            "text": TEXT * TIMES,
        }
        async for piece in self.use("tick", **arguments):
            for event in stream.feed(piece):
                came_s.append(time.monotonic())
                said.append(json.loads(event.data or ""))
        *ticks, answer = said
        data = [tick["params"]["data"] for tick in ticks]
        numbers = [tick["number"] for tick in data]
        require(numbers == [*range(size.events)], f"{self.what}: heard {numbers}")
        whole = all(tick["text"] == TEXT * TIMES for tick in data)
        require(whole, f"{self.what}: an event says something else")
        self._check(answer, TEXT * TIMES * size.events)
        return [at - tick["at"] for at, tick in zip(came_s, data, strict=False)]

    async def is_whole(self) -> None:
        """Have a long reply of JSON. Raises Failed if it is not what it was."""
        body = b"".join(
            [piece async for piece in self.use("echo", text=TEXT, times=TIMES)]
        )
        self._check(json.loads(body), TEXT * TIMES)

    def _check(self, answer: Json, text: str) -> None:
        right = answer["result"]["content"] == [{"type": "text", "text": text}]
        require(right, f"{self.what}: the answer is another")


@contextmanager
def combinations(size: Size, directory: Path) -> Iterator[list[Combination]]:
    """Serve each mount, with and without nginx before it, to each client."""
    places: list[tuple[str, Served]] = []
    with ExitStack() as stack:
        for mount in size.mounts:
            place = directory / mount
            (place / "nginx").mkdir(parents=True)
            application = f"tests.security.target.asgi:{mount}"
            ours = daphnes(1, application, place, environ=SETTINGS)
            (served,) = stack.enter_context(ours)
            front = stack.enter_context(nginx([served], place / "nginx"))
            places += [(mount, served), (f"{mount} behind nginx", front)]
        yield [
            Combination(client, gzip, served, f"{client.name}, gzip {gzip}, {where}")
            for client in clients()
            for gzip in (True, False)
            for where, served in places
        ]


async def run(size: Size, directory: Path) -> str:
    turns = asyncio.Semaphore(AT_ONCE)

    async def heard(one: Combination) -> list[float]:
        async with turns:
            await one.is_whole()
            return await one.delays_s(size)

    with combinations(size, directory) as every:
        delays = dict(zip(every, await asyncio.gather(*map(heard, every)), strict=True))
    for one, delays_s in delays.items():
        late_s = max(delays_s)
        require(late_s <= size.within_s, f"{one.what}: an event took {ms(late_s)}")
    all_s = [delay_s for delays_s in delays.values() for delay_s in delays_s]
    return (
        f"{len(delays)} combinations of client, gzip, nginx and mount: {len(all_s)} "
        f"events, each decoded within {ms(max(all_s))} of its being sent, p50 "
        f"{ms(percentile(all_s, 50))}; every long reply decoded to what was said"
    )
