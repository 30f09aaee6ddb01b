"""One WebSocket to an application in this process, event by event."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from mcp_transport.asgi import Application
from mcp_transport.protocol.peer import CAPABILITIES_KEY, VERSION_KEY
from mcp_transport.protocol.revisions import LATEST
from tests.wire.tokens import ALICE

BOUND_S = 20
HEADERS: Mapping[str, str | None] = {
    "host": "localhost",
    "authorization": f"Bearer {ALICE}",
}
ACCEPTED = {"type": "websocket.accept", "subprotocol": "mcp"}
REFUSED = {"type": "websocket.close"}


def stateless(method: str, id: int | str = 1, **params: Any) -> str:
    """Return a request of the revision that needs no session."""
    meta = {VERSION_KEY: LATEST.name, CAPABILITIES_KEY: {}}
    body = {"jsonrpc": "2.0", "id": id, "method": method}
    return json.dumps({**body, "params": {**params, "_meta": meta}})


def call(tool: str, id: int | str = 1, **arguments: Any) -> str:
    return stateless("tools/call", id, name=tool, arguments=arguments)


class Peer:
    """A client that sends what it is told. None leaves a header out."""

    def __init__(
        self,
        application: Application,
        *,
        path: str = "/ws",
        headers: Mapping[str, str | None] | None = None,
        subprotocols: Sequence[str] = ("mcp",),
        client: tuple[str, int] | None = ("127.0.0.1", 50_000),
        root_path: str | None = None,
    ) -> None:
        sent = {**HEADERS, **(headers or {})}
        bare, _, query = path.partition("?")
        scope: dict[str, Any] = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "scheme": "ws",
            "path": bare,
            "query_string": query.encode(),
            "headers": [
                (name.encode(), value.encode())
                for name, value in sent.items()
                if value is not None
            ],
            "subprotocols": list(subprotocols),
            "client": client,
        }
        if root_path is not None:
            scope["root_path"] = root_path
        self._to_server: asyncio.Queue[Any] = asyncio.Queue()
        self._from_server: asyncio.Queue[Any] = asyncio.Queue()
        self._serving = asyncio.ensure_future(
            application(scope, self._to_server.get, self._from_server.put)
        )

    async def opens(self) -> Any:
        """Ask for the connection, and return what comes back."""
        self._to_server.put_nowait({"type": "websocket.connect"})
        return await self.event()

    async def event(self) -> Any:
        async with asyncio.timeout(BOUND_S):
            return await self._from_server.get()

    def sends(self, frame: str | bytes) -> None:
        kind = "text" if isinstance(frame, str) else "bytes"
        self._to_server.put_nowait({"type": "websocket.receive", kind: frame})

    async def hears(self) -> Any:
        """Return the next message."""
        event = await self.event()
        assert event["type"] == "websocket.send", event
        return json.loads(event["text"])

    async def closed(self) -> Any:
        """Return the code with which the server ends the connection."""
        event = await self.event()
        assert event["type"] == "websocket.close", event
        # daphne takes no subclass of int.
        assert type(event["code"]) is int
        await self.ended()
        return event["code"]

    async def goes(self) -> None:
        """Vanish, and wait until the server has let go."""
        self._to_server.put_nowait({"type": "websocket.disconnect", "code": 1006})
        await self.ended()

    async def ended(self) -> None:
        """Wait until the application has returned, with nothing left to say."""
        async with asyncio.timeout(BOUND_S):
            await self._serving
        assert self._from_server.empty()


@asynccontextmanager
async def connected(application: Application, **options: Any) -> AsyncIterator[Peer]:
    """A client that was let in, and goes in the end."""
    peer = Peer(application, **options)
    assert await peer.opens() == ACCEPTED
    yield peer
    await peer.goes()
