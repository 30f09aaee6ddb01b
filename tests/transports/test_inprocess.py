from __future__ import annotations

import asyncio

import pytest

from mcp_transport.conf import get_server
from mcp_transport.engine.caller import Caller
from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.server import Server
from mcp_transport.protocol.errors import INVALID_PARAMS, ProtocolError
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import LATEST
from mcp_transport.transports.inprocess import LinkedTransport, connect
from tests.engine.exchanges import PATIENCE_S, every_revision, serving, text_of


def shop() -> tuple[Server, list[str]]:
    shelf, ended = Shelf(), []

    @shelf.tool
    def count(of: str = "tea") -> str:
        return f"7 {of}"

    @shelf.tool(permission="shop.view")
    def hidden() -> str:
        return "seen"

    @shelf.tool
    async def wait() -> str:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append("cancelled")
        return "never"

    return serving(shelf), ended


@every_revision
async def test_a_catalogue_is_called_without_a_port(revision: Revision) -> None:
    server, _ = shop()
    async with connect(server, revision=revision.name) as client:
        assert client.revision is revision
        names = [tool["name"] for tool in await client.list_tools()]
        assert names == ["count", "wait"]
        assert text_of(await client.call_tool("count", {"of": "cups"})) == "7 cups"
        assert text_of(await client.call_tool("count")) == "7 tea"
        assert ("serverInfo" in client.server) is revision.stateful


async def test_it_speaks_the_latest_revision_unless_told() -> None:
    async with connect(shop()[0]) as client:
        assert client.revision is LATEST


@every_revision
async def test_it_calls_as_the_caller_that_is_given(revision: Revision) -> None:
    server, _ = shop()
    caller = Caller("me", frozenset({"tools"}), frozenset({"shop.view"}))
    async with connect(server, caller=caller, revision=revision.name) as client:
        assert text_of(await client.call_tool("hidden")) == "seen"
    async with connect(server, revision=revision.name) as client:
        with pytest.raises(ProtocolError) as caught:
            await client.call_tool("hidden")
    assert caught.value.code == INVALID_PARAMS


@every_revision
async def test_at_the_end_nothing_is_left(revision: Revision) -> None:
    server, ended = shop()
    before = asyncio.all_tasks()
    async with connect(server, revision=revision.name) as client:
        calling = asyncio.create_task(client.call_tool("wait"))
        # Messages are taken in order, so the call before this one has begun.
        await client.list_tools()
    with pytest.raises(ConnectionError, match="the server has gone"):
        await calling
    assert ended == ["cancelled"]
    assert len(server.calls) == 0
    assert len(server.changes) == 0
    assert asyncio.all_tasks() == before


async def test_an_exception_in_the_block_comes_out_of_it() -> None:
    server, _ = shop()
    with pytest.raises(LookupError, match="mine"):
        async with connect(server) as client:
            await client.list_tools()
            raise LookupError("mine")
    assert len(server.changes) == 0


async def test_an_unknown_revision_is_none() -> None:
    with pytest.raises(KeyError):
        async with connect(shop()[0], revision="1999-01-01"):
            pass


async def test_the_server_of_the_settings_is_the_default() -> None:
    async with connect() as client:
        await client.list_tools()
        assert len(get_server().changes) == 1
    assert len(get_server().changes) == 0


# The two ends of a connection.


async def test_what_one_end_sends_the_other_receives() -> None:
    one, other = LinkedTransport.pair()
    await one.start()
    await one.send(b"1")
    await one.send(b"2")
    await other.send(b"3")
    assert [await other.receive(), await other.receive()] == [b"1", b"2"]
    assert await one.receive() == b"3"


async def test_closing_is_heard_at_both_ends_after_what_was_said() -> None:
    one, other = LinkedTransport.pair()
    await one.send(b"1")
    await one.close()
    await one.close()
    async with asyncio.timeout(PATIENCE_S):
        assert [await other.receive(), await other.receive()] == [b"1", None]
        assert await one.receive() is None
    for end in (one, other):
        with pytest.raises(ConnectionError):
            await end.send(b"late")
    with pytest.raises(ConnectionError):
        await one.start()


async def test_errors_are_kept() -> None:
    one, _ = LinkedTransport.pair()
    error = ProtocolError(-32700, "no")
    one.error(error)
    assert one.errors == [error]
