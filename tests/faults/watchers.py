"""Connections that are to stay open, whatever becomes of Redis."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from websockets.asyncio.client import ClientConnection

from tests.faults import stateless
from tests.faults.cluster import Cluster
from tests.faults.session import Session
from tests.websocket.client import opened
from tests.websocket.peer import call

HEARD_WITHIN_S = 30
ECHOED_WITHIN_S = 30


class Watchers:
    """Standing streams and WebSockets. ``heard`` counts, stream by stream, how often
    each note was said to have changed.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.sockets: list[ClientConnection] = []
        self.heard: dict[str, Counter[str]] = {}

    async def listen(self, session: Session) -> None:
        """Hear what comes on the standing stream, for good. Raises Gone."""
        heard = self.heard[session.id] = Counter()
        async for message in session.standing():
            heard[message["params"]["uri"]] += 1

    async def touch(self, uri: str) -> None:
        """Let a note change. Raises Lost, and Refused."""
        await stateless.use(self._cluster.choose(), "touch", {"uri": uri})

    async def all_hear(self, uri: str) -> None:
        """Wait until all have heard of a change. Raises TimeoutError."""
        async with asyncio.timeout(HEARD_WITHIN_S):
            while not self._have_heard(uri):  # noqa: ASYNC110 - of the server
                await asyncio.sleep(0.02)

    def _have_heard(self, uri: str) -> bool:
        return all(heard[uri] for heard in self.heard.values())

    async def echo(self) -> None:
        """Have each WebSocket answer. Raises ConnectionClosed, and TimeoutError."""
        async with asyncio.timeout(ECHOED_WITHIN_S):
            await asyncio.gather(*(echo(socket) for socket in self.sockets))


async def echo(socket: ClientConnection) -> None:
    await socket.send(call("echo", text="here"))
    result = json.loads(await socket.recv())["result"]
    assert result["content"][0]["text"] == "here", result


@asynccontextmanager
async def watching(
    cluster: Cluster, count: int, *notes: str
) -> AsyncIterator[Watchers]:
    """Open so many standing streams, subscribed to ``notes``, and WebSockets."""
    watchers = Watchers(cluster)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        for _ in range(count):
            socket = await stack.enter_async_context(opened(cluster.choose()))
            watchers.sockets.append(socket)
        sessions = [await Session.open(cluster) for _ in range(count)]
        for session in sessions:
            for uri in notes:
                await session.ask("resources/subscribe", {"uri": uri})
        listening = [group.create_task(watchers.listen(one)) for one in sessions]
        try:
            yield watchers
        finally:
            for task in listening:
                task.cancel()
