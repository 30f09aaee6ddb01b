"""A client that has a token of its own, and all open with it that can be."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from deploy.servers import Served
from mcp_transport.protocol.peer import CAPABILITIES_KEY, VERSION_KEY
from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL
from tests.faults.connection import Connection, Lost
from tests.faults.requests import HEADERS, Headers, post, request, stateless
from tests.faults.verdict import require
from tests.websocket.client import opened

# A call that says something each second, for longer than any test lasts.
ENDLESS = {"call": "held", "says": 3000, "pause_s": 1}


def of(token: str, headers: Headers) -> Headers:
    return {**headers, "Authorization": f"Bearer {token}"}


async def status_of_call(member: Served, token: str, tool: str = "echo") -> int:
    """Call a tool that answers at once; return the status. Raises Lost."""
    arguments = {"text": "a"} if tool == "echo" else {}
    message, headers = stateless(tool, "1", arguments)
    reply = await post(member, message, of(token, headers))
    await reply.whole()
    return reply.status


async def shake_hands(member: Served, token: str) -> Headers:
    """Open a session; return the headers of its requests. Raises Lost."""
    hello = {
        "protocolVersion": LATEST_STATEFUL.name,
        "capabilities": {},
        "clientInfo": {"name": "faults", "version": "1"},
    }
    reply = await post(member, request("initialize", "0", hello), of(token, HEADERS))
    await reply.whole()
    headers = {
        **of(token, HEADERS),
        "MCP-Protocol-Version": LATEST_STATEFUL.name,
        "Mcp-Session-Id": reply.headers["mcp-session-id"],
    }
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    await (await post(member, ready, headers)).whole()
    return headers


class Holder:
    """``accepted_at`` is when its last call began that was served, ``refused_at`` when
    the first was refused, and ``closed_at`` when each connection was ended by the
    server. Seconds of the monotonic clock.
    """

    def __init__(self, member: Served, token: str) -> None:
        self.token = token
        self.accepted_at = 0.0
        self.refused_at = 0.0
        self.closed_at: dict[str, float] = {}
        self.code: int | None = None
        self._member = member
        self._streams: dict[str, Connection] = {}
        self._socket: ClientConnection | None = None

    async def open(self, stack: AsyncExitStack) -> None:
        """Open the stream of a session, one that listens, one that a call is answered
        on, and a WebSocket; ``stack`` closes them.
        """
        session = await shake_hands(self._member, self.token)
        connection = Connection()
        await connection.ask(self._member.port, "GET", session)
        call, headers = stateless("work", "held", ENDLESS)
        meta = {VERSION_KEY: LATEST.name, CAPABILITIES_KEY: {}}
        method = "subscriptions/listen"
        wanted = {"notifications": {"toolsListChanged": True}, "_meta": meta}
        listening = {
            **HEADERS,
            "MCP-Protocol-Version": LATEST.name,
            "Mcp-Method": method,
        }
        self._streams = {
            "stream": connection,
            "call": await post(self._member, call, of(self.token, headers)),
            "listener": await post(
                self._member,
                request(method, "listen", wanted),
                of(self.token, listening),
            ),
        }
        for stream in self._streams.values():
            stack.callback(stream.abort)
            require(stream.status == 200, f"a stream was refused: {stream.status}")
        sent = {"Authorization": f"Bearer {self.token}"}
        self._socket = await stack.enter_async_context(
            opened(self._member, headers=sent)
        )

    async def stay(self) -> None:
        """Wait until the server has ended all."""
        await asyncio.gather(
            self._hang_on(), *(self._read(name) for name in self._streams)
        )

    async def _read(self, name: str) -> None:
        try:
            async for _ in self._streams[name].pieces():
                pass
        except Lost:
            pass  # an end as good as any
        self.closed_at[name] = time.monotonic()

    async def _hang_on(self) -> None:
        assert self._socket is not None
        try:
            await self._socket.recv()
        except ConnectionClosed as closed:
            self.code = closed.rcvd.code if closed.rcvd else None
        self.closed_at["socket"] = time.monotonic()

    async def use(self, apart_s: float) -> None:
        """Call again and again, until that is refused. Raises Lost, and Failed."""
        while not self.refused_at:
            began = time.monotonic()
            status = await status_of_call(self._member, self.token)
            require(status in (200, 401), f"a call was answered with {status}")
            if status == 200:
                self.accepted_at = began
                await asyncio.sleep(apart_s)
            else:
                self.refused_at = time.monotonic()
