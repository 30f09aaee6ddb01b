"""A transport of one's own, whole: JSON lines over a pair of streams."""

from __future__ import annotations

import asyncio
import json
import socket

from mcp_transport import Caller, Context, Elicit, Shelf
from mcp_transport.engine.exchange import Binding
from mcp_transport.protocol.errors import ProtocolError
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import STATEFUL, STATELESS
from mcp_transport.transports.client import Client
from mcp_transport.transports.duplex import Transport, serve
from tests.engine.exchanges import PATIENCE_S, every_revision, serving, text_of

BINDING = Binding("lines", STATEFUL, STATELESS)


class Lines:
    """One message a line, as over a pipe or a socket."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer
        self.errors: list[int] = []

    async def start(self) -> None:
        """The streams are connected already."""

    async def receive(self) -> bytes | None:
        line = await self._reader.readline()
        return line.rstrip(b"\n") if line else None

    async def send(self, message: bytes) -> None:
        self._writer.write(message + b"\n")
        await self._writer.drain()

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    def error(self, error: ProtocolError) -> None:
        self.errors.append(error.code)


async def ends() -> tuple[Lines, Lines]:
    """Return both ends of a connection."""
    one, other = socket.socketpair()
    return (
        Lines(*await asyncio.open_connection(sock=one)),
        Lines(*await asyncio.open_connection(sock=other)),
    )


def shop() -> Shelf:
    shelf = Shelf()

    @shelf.tool
    def who(ctx: Context) -> str:
        """Say who calls."""
        ctx.progress(1, 2)
        return ctx.caller.subject

    @shelf.tool
    async def where(ctx: Context) -> str:
        """Ask where to."""
        schema = {"type": "object", "properties": {"city": {"type": "string"}}}
        return str(ctx.ask(it=Elicit("Where to?", schema))["it"]["content"]["city"])

    return shelf


@every_revision
async def test_it_serves_every_revision(revision: Revision) -> None:
    async def elicit(params: object) -> dict[str, object]:
        return {"action": "accept", "content": {"city": "Oslo"}}

    ours, theirs = await ends()
    caller = Caller("token:1", frozenset({"tools"}))
    transport: Transport = theirs
    server = serving(shop())
    task = asyncio.create_task(serve(server, transport, caller, BINDING))
    client = Client(ours, revision, elicit=elicit)
    async with asyncio.timeout(PATIENCE_S):
        await client.start()
        tools = [tool["name"] for tool in await client.list_tools()]
        assert tools == ["where", "who"]
        result = await client.call_tool("who", progress_token="p")
        assert text_of(result) == "token:1"
        assert [method for method, _ in client.notifications] == [
            "notifications/progress"
        ]
        if ("elicitation", "form") in revision.asks:
            assert text_of(await client.call_tool("where")) == "Oslo"
        await client.close()
        await task
    assert theirs.errors == []
    assert len(server.calls) == 0


async def test_it_hears_of_what_could_not_be_understood() -> None:
    ours, theirs = await ends()
    caller = Caller("token:1")
    task = asyncio.create_task(serve(serving(), theirs, caller, BINDING))
    async with asyncio.timeout(PATIENCE_S):
        await ours.send(b"this is no JSON")
        answer = await ours.receive()
        await ours.close()
        await task
    assert answer is not None
    assert json.loads(answer)["error"]["code"] == -32700
    assert theirs.errors == [-32700]
