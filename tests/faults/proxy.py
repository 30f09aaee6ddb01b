"""Between the processes and Redis: lets a script run, and cuts before its reply."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from hashlib import sha1
from pathlib import Path

from mcp_transport.stores import redis as store
from mcp_transport.stores.redis.connection import Script

HOST = "127.0.0.1"
CHUNK_BYTES = 65_536
# What stands in front of every script, and is none itself.
PRELUDE = "prelude"
SCRIPTS = frozenset(
    path.stem
    for path in (Path(store.__file__).parent / "lua").glob("*.lua")
    if path.stem != PRELUDE
)


class Proxy:
    """Cuts every other run of each script, until it has cut ``most`` of that script;
    0 passes everything on. ``cut`` counts them by the names of the scripts.
    """

    def __init__(self) -> None:
        self.most = 0
        self.cut: Counter[str] = Counter()
        self._runs: Counter[str] = Counter()
        self._names = {Script.named(name).sha: name for name in SCRIPTS}
        self._links: set[asyncio.Task[None]] = set()

    @property
    def is_done(self) -> bool:
        return all(self.cut[name] >= self.most for name in SCRIPTS)

    @asynccontextmanager
    async def before(self, port: int) -> AsyncIterator[str]:
        """Stand before the Redis on ``port``; yield our own URL."""

        async def link(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._links.add(task)
            try:
                # asyncio's server logs a cancelled task as one that failed.
                with suppress(asyncio.CancelledError):
                    await _Link(self, reader, writer).run(port)
            finally:
                self._links.discard(task)

        server = await asyncio.start_server(link, HOST, 0, limit=2**24)
        try:
            yield f"redis://{HOST}:{server.sockets[0].getsockname()[1]}/0"
        finally:
            server.close()
            for task in self._links:
                task.cancel()
            await asyncio.gather(*self._links, return_exceptions=True)

    def chosen(self, command: list[bytes]) -> str:
        """Return the name of the script that a command runs, if it is to be cut."""
        name = self._name(command)
        if not name or self.cut[name] >= self.most:
            return ""
        self._runs[name] += 1
        return name if self._runs[name] % 2 else ""

    def failed(self, name: str) -> None:
        """It did not run: Redis did not know it yet."""
        self._runs[name] -= 1

    def _name(self, command: list[bytes]) -> str:
        kind = command[0].upper()
        if kind == b"EVALSHA":
            return self._names.get(command[1].decode(), "")
        if kind == b"EVAL":
            sha = sha1(command[1], usedforsecurity=False).hexdigest()
            return self._names.get(sha, "")
        return ""


class _Link:
    """One connection of a process, and ours to Redis for it. A process has one
    command under way on it at a time.
    """

    def __init__(
        self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._proxy = proxy
        self._reader = reader
        self._writer = writer
        self._chosen = ""

    async def run(self, port: int) -> None:
        """Pass on what comes from both sides, until either ends or we cut."""
        try:
            reader, writer = await asyncio.open_connection(HOST, port)
        except ConnectionError:
            self._writer.transport.abort()
            return
        ways = [
            asyncio.create_task(self._there(writer)),
            asyncio.create_task(self._back(reader)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for end in (writer, self._writer):
                end.transport.abort()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _there(self, writer: asyncio.StreamWriter) -> None:
        async for raw, command in commands(self._reader):
            self._chosen = self._proxy.chosen(command)
            writer.write(raw)

    async def _back(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(CHUNK_BYTES):
            if self._chosen and data.startswith(b"-"):
                self._proxy.failed(self._chosen)
            elif self._chosen:
                self._proxy.cut[self._chosen] += 1
                return
            self._chosen = ""
            self._writer.write(data)


async def commands(
    reader: asyncio.StreamReader,
) -> AsyncIterator[tuple[bytes, list[bytes]]]:
    """Yield each command as it came, and its parts.

    Spec: the Redis serialization protocol, #arrays of bulk strings.
    """
    while head := await reader.readline():
        raw, parts = head, []
        for _ in range(int(head[1:])):
            length = await reader.readline()
            part = await reader.readexactly(int(length[1:]) + 2)
            raw += length + part
            parts.append(part[:-2])
        yield raw, parts
