"""Processes before one Redis, all ours to kill: stock daphne, unless told otherwise."""

from __future__ import annotations

import asyncio
import os
import random
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import redis

from deploy.servers import HOST, Redis, Served
from tests.faults.journal import Entry, Journal, entries
from tests.faults.proxy import Proxy
from tests.serving import daphnes, redis_server

APPLICATION = "tests.faults.served.asgi:application"
FAILED = re.compile(r"^.* (?:ERROR|CRITICAL) .*$", re.MULTILINE)
# What the channel layer says, with a traceback, each time that it finds no Redis.
LAYER_RECONNECTS = "Unexpected exception in receive task"
# Only the access log is left out: it has a line for each call.
OPTIONS = (f"--access-log={os.devnull}",)


class Cluster:
    """``ready`` are the processes that clients may turn to."""

    def __init__(
        self, directory: Path, server: Redis, members: list[Served], effects: Path
    ) -> None:
        self.directory = directory
        self.redis = server
        self.members = members
        self.ready = list(members)
        self.journal = Journal(directory / "clients.jsonl")
        self.random = random.Random(2026)
        self._effects = effects

    def choose(self, other_than: Served | None = None) -> Served:
        """Return a process that is ready, another one if there are several."""
        others = [member for member in self.ready if member is not other_than]
        return self.random.choice(others or self.ready)

    async def kill(self, member: Served) -> None:
        """Kill a process of ours."""
        self.ready.remove(member)
        self.journal.write("killed", pid=member.pid)
        await asyncio.to_thread(member.kill)

    async def restart(self, member: Served) -> None:
        """Start a process again that has died, and let clients turn to it."""
        await asyncio.to_thread(member.restart)
        self.ready.append(member)

    def ask(self) -> redis.Redis:
        """Return a client of the Redis itself."""
        return redis.Redis(HOST, self.redis.port, socket_timeout=5)

    def entries(self) -> list[Entry]:
        """Return what both journals hold."""
        effects = entries(self._effects) if self._effects.exists() else []
        return [*entries(self.journal.path), *effects]

    def crashed(self) -> list[str]:
        """Return which processes have ended, and what the others say has failed."""
        ended = [str(m) for m in self.members if m.process.poll() is not None]
        return ended + [
            line
            for member in self.members
            for line in FAILED.findall(member.said())
            if not line.endswith(LAYER_RECONNECTS)
        ]


@asynccontextmanager
async def cluster(
    directory: Path,
    count: int,
    *,
    environ: Mapping[str, str] | None = None,
    proxy: Proxy | None = None,
    serves: Callable[..., AbstractContextManager[list[Served]]] = daphnes,
) -> AsyncIterator[Cluster]:
    """Run ``count`` processes with their files in ``directory``, which is made.

    They reach their Redis through ``proxy``, if there is one.
    """
    directory.mkdir(parents=True)  # noqa: ASYNC240 - before anything runs
    effects = directory / "effects.jsonl"
    async with AsyncExitStack() as stack:
        server = stack.enter_context(redis_server(directory))
        url = server.url
        if proxy is not None:
            url = await stack.enter_async_context(proxy.before(server.port))
        surroundings = {
            "DJANGO_SETTINGS_MODULE": "tests.faults.served.settings",
            "FAULTS_JOURNAL": str(effects),
            "FAULTS_STORE": url,
            **(environ or {}),
        }
        served = serves(
            count, APPLICATION, directory, environ=surroundings, options=OPTIONS
        )
        running = Cluster(directory, server, stack.enter_context(served), effects)
        stack.callback(running.journal.close)
        yield running
