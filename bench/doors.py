"""What the other doors cost, and Redis: ``script/bench doors``.

Each case is run on the server that does nothing, on ours with the memory store
and on ours with the Redis store, in turns, and said as ratios of the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from websockets.asyncio.client import connect

from bench import report
from bench.cases import CLIENT, STATEFUL, STATELESS, TEXT, claim
from bench.load import WrongReply
from bench.servers import Mount, Server, cores, pinned, started
from deploy.servers import Redis, free_port, running

BARE = Mount("bare", "bench.project.doors:application", "/mcp")
MEMORY = Mount("memory", "bench.project.lean:application", "/mcp")
REDIS = Mount("redis", "bench.project.lean:application", "/mcp")
STEPS = 100
PATIENCE_S = 60
OPEN_AT_ONCE = 50
SETTLE_S = 2.0
CHANGED = b"list_changed"
HELLO = {"protocolVersion": STATEFUL, "capabilities": {}, "clientInfo": CLIENT}

Ask = Callable[[int], Awaitable[None]]


@dataclass(frozen=True)
class Site:
    """One server, and the tokens that it knows."""

    server: Server
    tokens: list[str]

    @property
    def speaks(self) -> bool:
        return self.server.mount is not BARE


class Http:
    """One keep-alive connection, or one stream, to a server."""

    def __init__(self, site: Site, token: int = 0) -> None:
        self._site = site
        self._token = site.tokens[token % len(site.tokens)]

    async def open(self) -> Http:
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", self._site.server.port, limit=2**20
        )
        return self

    async def ask(
        self,
        method: str,
        path: str,
        message: Mapping[str, Any] | None = None,
        **headers: str,
    ) -> tuple[int, bytes]:
        """Send a request; return the status and the head of the reply."""
        body = b"" if message is None else json.dumps(message).encode()
        sent = {
            "Host": f"127.0.0.1:{self._site.server.port}",
            "Authorization": f"Bearer {self._token}",
            "Accept": "application/json, text/event-stream",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in sent.items())]
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        head = await self.reader.readuntil(b"\r\n\r\n")
        return int(head[9:12]), head

    async def body(self, head: bytes) -> bytes:
        found = re.search(rb"(?i)content-length: (\d+)", head)
        if found is None:
            return await self.until(b"\r\n0\r\n\r\n")
        return await self.reader.readexactly(int(found[1]))

    async def until(self, needle: bytes) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readuntil(needle)


def call(number: int, tool: str, **arguments: Any) -> dict[str, Any]:
    params = {"name": tool, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


def require(holds: bool, what: object) -> None:
    """Raises WrongReply."""
    if not holds:
        raise WrongReply(f"{what!r}"[:1000])


async def session(http: Http) -> dict[str, str]:
    """Shake hands; return the headers of the session."""
    hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": HELLO}
    status, head = await http.ask("POST", "/mcp", hello)
    await http.body(head)
    require(status == 200, head)
    found = re.search(rb"(?i)mcp-session-id: (\S+)", head)
    assert found is not None
    headers = {
        "Mcp_Session_Id": found[1].decode(),
        "MCP_Protocol_Version": STATEFUL,
    }
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    _, head = await http.ask("POST", "/mcp", ready, **headers)
    await http.body(head)
    return headers


async def calling(site: Site, number: int) -> Ask:
    """A call of a session, answered by JSON."""
    http = await Http(site, number).open()
    headers = await session(http) if site.speaks else {}

    async def ask(n: int) -> None:
        status, head = await http.ask(
            "POST", "/mcp", call(n, "echo", text=TEXT), **headers
        )
        body = await http.body(head)
        require(status == 200 and (not site.speaks or TEXT.encode() in body), body)

    return ask


def progressing(revision: str) -> Callable[[Site, int], Awaitable[Ask]]:
    """A call with a hundred notifications of progress, and its response."""

    async def opened(site: Site, number: int) -> Ask:
        http = await Http(site, number).open()
        stateless = revision == STATELESS
        headers = {} if stateless or not site.speaks else await session(http)
        if stateless:
            headers = {"Mcp_Method": "tools/call", "Mcp_Name": "steps"}
            headers["MCP_Protocol_Version"] = STATELESS

        async def ask(n: int) -> None:
            message = call(n, "steps", count=STEPS)
            meta: dict[str, Any] = claim() if stateless else {}
            message["params"]["_meta"] = {**meta, "progressToken": n}
            _, head = await http.ask("POST", "/mcp", message, **headers)
            body = await http.body(head)
            require(body.count(b"data: {") == STEPS + 1, body)

        return ask

    return opened


async def by_sse(site: Site, number: int) -> Ask:
    """A call posted, and answered on an open stream."""
    stream, http = await Http(site, number).open(), await Http(site, number).open()
    place = await endpoint(stream)
    if site.speaks:
        hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": HELLO}
        ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        for message in (hello, ready):
            _, head = await http.ask("POST", place, message)
            await http.body(head)
        await stream.until(b"data: {")
        await stream.until(b"\n\n")

    async def ask(n: int) -> None:
        status, head = await http.ask("POST", place, call(n, "echo", text=TEXT))
        require(status == 202 and await http.body(head) == b"Accepted", head)
        await stream.until(b"data: {")
        said = await stream.until(b"\n\n")
        require(not site.speaks or TEXT.encode() in said, said)

    return ask


async def endpoint(stream: Http) -> str:
    await stream.ask("GET", "/sse", None)
    await stream.until(b"data: ")
    return (await stream.until(b"\n\n")).decode().strip()


async def by_websocket(site: Site, number: int) -> Ask:
    """A call said, and answered, on a WebSocket."""
    socket = await websocket(site, number)
    if site.speaks:
        hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": HELLO}
        await socket.send(json.dumps(hello))
        await socket.recv()

    async def ask(n: int) -> None:
        await socket.send(json.dumps(call(n, "echo", text=TEXT)))
        require(TEXT in (said := await socket.recv()), said)

    return ask


async def websocket(site: Site, number: int) -> Any:
    token = site.tokens[number % len(site.tokens)]
    return await connect(
        f"ws://127.0.0.1:{site.server.port}/ws",
        subprotocols=["mcp"],  # type: ignore[list-item]
        additional_headers={"Authorization": f"Bearer {token}"},
        compression=None,
        ping_interval=None,
    )


ROUND_TRIPS: Mapping[str, tuple[Callable[[Site, int], Awaitable[Ask]], bool]] = {
    "call-2025": (calling, False),
    "progress-2026": (progressing(STATELESS), True),
    "progress-2025": (progressing(STATEFUL), True),
    "sse": (by_sse, True),
    "websocket": (by_websocket, True),
}


async def cpu_us(
    site: Site, opened: Callable[[Site, int], Awaitable[Ask]], s: float
) -> float:
    """Return the server's CPU microseconds a request, with 8 clients at it."""
    asks = [await opened(site, number) for number in range(8)]
    ends_at = time.monotonic() + s
    done = 0

    async def keep_asking(ask: Ask, first: int) -> None:
        nonlocal done
        number = first
        while time.monotonic() < ends_at:
            number += 1
            await ask(number)
            done += 1

    for number, ask in enumerate(asks):
        await ask(10**6 + number)
    before = site.server.cpu_s()
    await asyncio.gather(*(keep_asking(a, 10**7 * (n + 1)) for n, a in enumerate(asks)))
    return (site.server.cpu_s() - before) / done * 1e6


async def round_trips(sites: list[Site], rounds: int, seconds: float) -> None:
    rows = []
    for name, (opened, has_bare) in ROUND_TRIPS.items():
        taken: dict[str, list[float]] = {site.server.mount.name: [] for site in sites}
        for _ in range(rounds):
            for site in sites:
                if site.speaks or has_bare:
                    cost = await cpu_us(site, opened, seconds)
                    taken[site.server.mount.name].append(cost)
        middle = {key: median(costs) for key, costs in taken.items() if costs}
        bare = middle.get("bare")
        rows.append(
            [
                name,
                *(f"{middle[m]:.0f}" if m in middle else "-" for m in taken),
                f"{middle['memory'] / bare:.2f}" if bare else "-",
                f"{middle['redis'] / middle['memory']:.2f}",
            ]
        )
    headings = ("case", "bare us", "memory us", "redis us", "x bare", "redis x memory")
    print(report.table(headings, rows), flush=True)


# Open streams.


async def get_stream(site: Site, number: int) -> Http:
    http = await Http(site, number).open()
    headers = await session(http)
    status, head = await http.ask("GET", "/mcp", None, **headers)
    require(status == 200, head)
    return http


async def listen_stream(site: Site, number: int) -> Http:
    http = await Http(site, number).open()
    params = {"_meta": claim(), "notifications": {"toolsListChanged": True}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen"}
    headers = {"MCP_Protocol_Version": STATELESS, "Mcp_Method": "subscriptions/listen"}
    await http.ask("POST", "/mcp", {**message, "params": params}, **headers)
    await http.until(b"acknowledged")
    return http


async def sse_stream(site: Site, number: int) -> Http:
    stream, http = await Http(site, number).open(), await Http(site, number).open()
    place = await endpoint(stream)
    hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": HELLO}
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    for message in (hello, ready):
        _, head = await http.ask("POST", place, message)
        await http.body(head)
    http.writer.close()
    return stream


STREAMS: Mapping[str, Callable[[Site, int], Awaitable[Http]]] = {
    "GET stream 2025": get_stream,
    "listen 2026": listen_stream,
    "HTTP+SSE": sse_stream,
}


@asynccontextmanager
async def many(site: Site, kind: str, count: int) -> AsyncIterator[list[Http]]:
    streams: list[Http] = []
    try:
        for first in range(0, count, OPEN_AT_ONCE):
            numbers = range(first, min(count, first + OPEN_AT_ONCE))
            opened = (STREAMS[kind](site, number) for number in numbers)
            streams += await asyncio.gather(*opened)
        yield streams
    finally:
        for stream in streams:
            stream.writer.close()


async def open_streams(site: Site, kind: str, count: int) -> list[str]:
    """Return a row: what the streams hold, and how a change reaches them all."""
    server = site.server
    before_kb, threads = server.rss_kb(), server.threads()
    async with many(site, kind, count) as streams:
        held_kb = server.rss_kb() - before_kb
        grown = server.threads() - threads
        http = await Http(site).open()
        headers = {"MCP_Protocol_Version": STATELESS, "Mcp_Method": "tools/call"}
        message = call(1, "grow")
        message["params"]["_meta"] = claim()
        cpu_s, began = server.cpu_s(), time.monotonic()
        hearing = asyncio.gather(*(stream.until(CHANGED) for stream in streams))
        status, head = await http.ask(
            "POST", "/mcp", message, Mcp_Name="grow", **headers
        )
        changed = await http.body(head)
        require(status == 200 and b'"content"' in changed, changed)
        await hearing
        last_ms = (time.monotonic() - began) * 1000
        each_us = (server.cpu_s() - cpu_s) / count * 1e6
        http.writer.close()
    await asyncio.sleep(SETTLE_S)
    return [
        kind,
        server.mount.name,
        str(count),
        f"{held_kb / count:.1f}",
        str(grown),
        f"{each_us:.0f}",
        f"{last_ms:.0f}",
    ]


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/bench doors", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="default: 3, at most 20")
    parser.add_argument("--seconds", type=float, default=1.5, help="at most 30")
    parser.add_argument(
        "--streams", type=int, nargs="*", default=[300, 1000, 5000], help="at most 5000"
    )
    chosen = parser.parse_args(arguments)
    if not 1 <= chosen.rounds <= 20 or not 0.1 <= chosen.seconds <= 30:
        parser.error("rounds must be 1 to 20, seconds 0.1 to 30")
    if any(not 1 <= count <= 5000 for count in chosen.streams):
        parser.error("streams must be 1 to 5000")
    return chosen


async def run(chosen: argparse.Namespace, directory: Path, redis_url: str) -> None:
    from bench.__main__ import environment, issue_tokens

    tokens = issue_tokens(directory)
    stores = {BARE: "memory", MEMORY: "memory", REDIS: redis_url}

    def served(stack: AsyncExitStack, mount: Mount) -> Site:
        environs = {**environment(directory, 10), "BENCH_STORE": stores[mount]}
        server = stack.enter_context(started("daphne", mount, environs, directory))
        return Site(server, tokens)

    async with AsyncExitStack() as stack:
        sites = [served(stack, mount) for mount in stores]
        await round_trips(sites, chosen.rounds, chosen.seconds)
    rows = []
    for count in chosen.streams:
        for kind in STREAMS:
            for mount in (MEMORY, REDIS) if count <= 1000 else (MEMORY,):
                async with AsyncExitStack() as stack:
                    site = served(stack, mount)
                    await open_streams(site, kind, 8)
                    rows.append(await open_streams(site, kind, count))
    headings = ("streams", "store", "open", "KB each", "threads", "us each", "last ms")
    print(f"\n{report.table(headings, rows)}")


def main() -> None:
    chosen = options(sys.argv[1:])
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with (
        tempfile.TemporaryDirectory(prefix="mcp-bench-") as name,
        pinned(cores()[1]),
    ):
        redis = Redis(free_port(), Path(name))
        with running([redis]):
            asyncio.run(run(chosen, Path(name), redis.url))


if __name__ == "__main__":
    main()
