from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mcp_transport.engine.caller import ANONYMOUS
from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.changes import ListChanged, ResourceUpdated
from mcp_transport.engine.context import Context
from mcp_transport.engine.exchange import Binding
from mcp_transport.engine.server import Server
from mcp_transport.protocol.errors import (
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    UNSUPPORTED_PROTOCOL_VERSION,
    ProtocolError,
)
from mcp_transport.protocol.peer import CAPABILITIES_KEY, CLIENT_INFO_KEY, VERSION_KEY
from mcp_transport.protocol.questions import Elicit
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import (
    LATEST,
    LATEST_STATEFUL,
    STATEFUL,
    STATELESS,
)
from mcp_transport.transports.duplex import serve
from tests.engine.exchanges import (
    PATIENCE_S,
    Json,
    every_revision,
    every_stateful,
    over,
    serving,
)

BINDING = Binding("list", STATEFUL, STATELESS)
FORM = Elicit("Where?", {"type": "object", "properties": {"a": {"type": "string"}}})
BATCHING = [revision for revision in STATEFUL.values() if revision.batching]
NOT_BATCHING = [revision for revision in STATEFUL.values() if not revision.batching]


class Scripted:
    """A transport whose client is the test."""

    def __init__(self) -> None:
        self.happened: list[str] = []
        self.errors: list[ProtocolError] = []
        self.broken = False
        self._inbox: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._outbox: asyncio.Queue[Json] = asyncio.Queue()

    async def start(self) -> None:
        self.happened.append("start")

    async def receive(self) -> bytes | None:
        return await self._inbox.get()

    async def send(self, message: bytes) -> None:
        if self.broken:
            raise ConnectionError("broken")
        self._outbox.put_nowait(json.loads(message))

    async def close(self) -> None:
        self.happened.append("close")

    def error(self, error: ProtocolError) -> None:
        self.errors.append(error)

    # The client's side.

    def says(self, message: object) -> None:
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        self._inbox.put_nowait(data)

    def asks(self, id: Any, method: str, params: Json | None = None) -> None:
        message = {"jsonrpc": "2.0", "id": id, "method": method}
        self.says({**message, "params": params} if params else message)

    def tells(self, method: str, **params: Any) -> None:
        self.says({"jsonrpc": "2.0", "method": method, "params": params})

    def goes(self) -> None:
        self._inbox.put_nowait(None)

    async def hears(self) -> Json:
        async with asyncio.timeout(PATIENCE_S):
            return await self._outbox.get()

    @property
    def unheard(self) -> int:
        return self._outbox.qsize()

    async def catches_up(self) -> None:
        """Return when the server has taken in all that was said."""
        self.asks("sync", "unknown/method")
        message = await self.hears()
        assert message["id"] == "sync"


@asynccontextmanager
async def connected(
    server: Server, revision: Revision | None = None, **capabilities: Json
) -> AsyncIterator[Scripted]:
    """Serve a client; with a revision, one that has shaken hands in it."""
    transport = Scripted()
    serving = asyncio.create_task(serve(server, transport, ANONYMOUS, BINDING))
    if revision is not None:
        hello = {"protocolVersion": revision.name, "capabilities": capabilities}
        transport.asks("hello", "initialize", hello)
        assert (await transport.hears())["result"]["protocolVersion"] == revision.name
        transport.tells("notifications/initialized")
    yield transport
    transport.goes()
    async with asyncio.timeout(PATIENCE_S):
        await serving


def stateless(**params: Any) -> Json:
    meta = {VERSION_KEY: LATEST.name, CAPABILITIES_KEY: {}}
    return {**params, "_meta": meta}


def waiting() -> tuple[Server, list[str]]:
    shelf, ended = Shelf(), []

    @shelf.tool
    async def wait() -> str:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            ended.append("cancelled")
        return "never"

    @shelf.tool
    async def ask(ctx: Context) -> str:
        return str(ctx.ask(it=FORM)["it"]["action"])

    @shelf.resource("docs://about")
    def about() -> str:
        return ""

    return serving(shelf), ended


# The loop.


async def test_a_connection_begins_and_ends_once() -> None:
    server, _ = waiting()
    async with connected(server, LATEST_STATEFUL) as transport:
        transport.asks(1, "ping")
        assert await transport.hears() == {"jsonrpc": "2.0", "id": 1, "result": {}}
        assert len(server.changes) == 1
    assert transport.happened == ["start", "close"]
    assert transport.errors == []
    assert len(server.changes) == 0


async def test_a_call_that_waits_holds_up_nothing() -> None:
    server, _ = waiting()
    async with connected(server, LATEST_STATEFUL) as transport:
        transport.asks(1, "tools/call", {"name": "wait"})
        transport.asks(2, "ping")
        assert (await transport.hears())["id"] == 2


@over(*(r for r in STATEFUL.values() if ("elicitation", "form") in r.asks))
async def test_a_tool_that_asks_does_not_block_its_own_answer(
    revision: Revision,
) -> None:
    server, _ = waiting()
    async with connected(server, revision, elicitation={}) as transport:
        transport.asks(1, "tools/call", {"name": "ask"})
        asked = await transport.hears()
        assert asked["method"] == "elicitation/create"
        answer = {"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "cancel"}}
        transport.says(answer)
        message = await transport.hears()
        assert message["id"] == 1
        assert message["result"]["content"][0]["text"] == "cancel"


@every_revision
async def test_a_cancelled_call_is_not_answered(revision: Revision) -> None:
    server, ended = waiting()
    shaken = revision if revision.stateful else None
    async with connected(server, shaken) as transport:
        call = {"name": "wait"} if revision.stateful else stateless(name="wait")
        transport.asks(1, "tools/call", call)
        transport.asks("1", "tools/call", call)
        transport.tells("notifications/cancelled", requestId=1)
        transport.asks(3, "tools/list", {} if revision.stateful else stateless())
        assert (await transport.hears())["id"] == 3
    assert ended == ["cancelled", "cancelled"]
    assert transport.unheard == 0


@pytest.mark.parametrize("id", [True, 1.0, None, "1", [1], {}])
async def test_a_cancel_of_nothing_is_no_matter(id: Any) -> None:
    server, ended = waiting()
    async with connected(server, LATEST_STATEFUL) as transport:
        transport.asks(1, "tools/call", {"name": "wait"})
        transport.tells("notifications/cancelled", requestId=id)
        transport.tells("notifications/cancelled")
        transport.asks(2, "ping")
        assert (await transport.hears())["id"] == 2
        assert len(server.calls) == 1
        assert ended == []


@every_revision
async def test_when_the_client_goes_all_its_calls_have_ended(
    revision: Revision,
) -> None:
    server, ended = waiting()
    shaken = revision if revision.stateful else None
    call = {"name": "wait"} if revision.stateful else stateless(name="wait")
    async with connected(server, shaken) as transport:
        for id in range(3):
            transport.asks(id, "tools/call", call)
    assert ended == ["cancelled"] * 3
    assert len(server.calls) == 0
    assert len(server.changes) == 0
    assert transport.happened == ["start", "close"]
    assert transport.unheard == 0


async def test_a_connection_that_breaks_ends_what_runs() -> None:
    server, ended = waiting()
    transport = Scripted()
    serving = asyncio.create_task(serve(server, transport, ANONYMOUS, BINDING))
    transport.asks(1, "tools/call", stateless(name="wait"))
    transport.asks(2, "tools/list", stateless())
    assert (await transport.hears())["id"] == 2
    transport.broken = True
    transport.asks(3, "tools/list", stateless())
    async with asyncio.timeout(PATIENCE_S):
        await serving
    assert ended == ["cancelled"]
    assert transport.happened == ["start", "close"]


async def test_a_serving_that_is_cancelled_cleans_up() -> None:
    server, ended = waiting()
    transport = Scripted()
    serving = asyncio.create_task(serve(server, transport, ANONYMOUS, BINDING))
    transport.asks(1, "tools/call", stateless(name="wait"))
    transport.asks(2, "tools/list", stateless())
    assert (await transport.hears())["id"] == 2
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert ended == ["cancelled"]
    assert transport.happened == ["start", "close"]
    assert len(server.changes) == 0


async def test_a_connection_that_does_not_begin_leaves_nothing_behind() -> None:
    class Failing(Scripted):
        async def start(self) -> None:
            raise ConnectionError("no such peer")

    server, _ = waiting()
    with pytest.raises(ConnectionError):
        await serve(server, Failing(), ANONYMOUS, BINDING)
    assert len(server.changes) == 0


# Messages that cannot be taken.


@pytest.mark.parametrize(
    ("data", "id", "code"),
    [
        (b"", None, PARSE_ERROR),
        (b"{", None, PARSE_ERROR),
        (b'{"a": NaN}', None, PARSE_ERROR),
        (b"\xff", None, PARSE_ERROR),
        (b"5", None, INVALID_REQUEST),
        (b"[]", None, INVALID_REQUEST),
        (b'{"jsonrpc":"1.0","id":7,"method":"ping"}', 7, INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":"x","method":5}', "x", INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', None, INVALID_REQUEST),
    ],
)
async def test_what_is_no_message_is_answered_and_told(
    data: bytes, id: Any, code: int
) -> None:
    server, _ = waiting()
    async with connected(server, LATEST_STATEFUL) as transport:
        transport.says(data)
        message = await transport.hears()
        assert message.get("id") == id
        assert message["error"]["code"] == code
        transport.asks(8, "ping")
        assert (await transport.hears())["id"] == 8
    assert [error.code for error in transport.errors] == [code]


async def test_an_id_in_use_is_refused_and_its_call_goes_on() -> None:
    server, ended = waiting()
    async with connected(server) as transport:
        transport.asks(1, "tools/call", stateless(name="wait"))
        transport.asks(1, "tools/list", stateless())
        message = await transport.hears()
        assert message["id"] == 1
        assert message["error"]["code"] == INVALID_REQUEST
        assert ended == []
        assert len(server.calls) == 1


async def test_a_method_before_the_handshake_is_refused() -> None:
    server, _ = waiting()
    async with connected(server) as transport:
        transport.asks(1, "tools/list")
        message = await transport.hears()
        assert message["error"]["code"] == INVALID_REQUEST


# Eras.


async def test_a_connection_stays_in_the_era_that_it_began_in() -> None:
    server, _ = waiting()
    hello = {"protocolVersion": LATEST_STATEFUL.name, "capabilities": {}}
    async with connected(server) as transport:
        transport.asks(1, "tools/list", stateless())
        assert "result" in await transport.hears()
        transport.asks(2, "initialize", hello)
        assert (await transport.hears())["error"] == {
            "code": UNSUPPORTED_PROTOCOL_VERSION,
            "message": f"Unsupported protocol version: {LATEST_STATEFUL.name}",
            "data": {
                "supported": list(STATELESS),
                "requested": LATEST_STATEFUL.name,
            },
        }


async def test_a_probe_binds_to_nothing() -> None:
    server, _ = waiting()
    hello = {"protocolVersion": LATEST_STATEFUL.name, "capabilities": {}}
    async with connected(server) as transport:
        transport.asks(1, "server/discover", stateless())
        assert "result" in await transport.hears()
        transport.asks(2, "initialize", hello)
        assert (await transport.hears())["result"]["protocolVersion"] == (
            LATEST_STATEFUL.name
        )


async def test_an_unknown_method_is_said_to_be_one() -> None:
    server, _ = waiting()
    async with connected(server, LATEST_STATEFUL) as transport:
        transport.asks(1, "subscriptions/listen")
        assert (await transport.hears())["error"]["code"] == METHOD_NOT_FOUND


# Batches.


@over(*BATCHING)
async def test_each_message_of_a_batch_is_answered(revision: Revision) -> None:
    server, _ = waiting()
    async with connected(server, revision) as transport:
        transport.says(
            [
                {"jsonrpc": "2.0", "id": 1, "method": "ping"},
                {"jsonrpc": "2.0", "method": "notifications/roots/list_changed"},
                {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {}},
                5,
                {"jsonrpc": "2.0", "id": 3, "method": 5},
                {"jsonrpc": "2.0", "id": 4, "method": "ping"},
            ]
        )
        messages = [await transport.hears() for _ in range(5)]
    assert [message.get("id") for message in messages] == [1, 2, None, 3, 4]
    codes = [message.get("error", {}).get("code") for message in messages]
    assert codes == [None, -32602, INVALID_REQUEST, INVALID_REQUEST, None]
    assert transport.unheard == 0
    assert len(transport.errors) == 2


@over(*BATCHING)
async def test_a_request_of_a_batch_that_is_refused_stops_none_of_it(
    revision: Revision,
) -> None:
    server, _ = waiting()
    call = {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "wait"}}
    async with connected(server, revision) as transport:
        ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
        transport.says([{**call, "id": 1}, {**call, "id": 1}, ping])
        messages = [await transport.hears() for _ in range(2)]
    assert messages[0]["error"]["code"] == INVALID_REQUEST
    assert messages[1] == {"jsonrpc": "2.0", "id": 2, "result": {}}


@over(*NOT_BATCHING)
async def test_where_there_are_no_batches_one_is_refused(revision: Revision) -> None:
    server, _ = waiting()
    async with connected(server, revision) as transport:
        transport.says([{"jsonrpc": "2.0", "id": 1, "method": "ping"}])
        message = await transport.hears()
    assert "id" not in message
    assert message["error"]["code"] == INVALID_REQUEST
    assert transport.unheard == 0


async def test_nothing_begins_with_a_batch() -> None:
    server, _ = waiting()
    hello = {"protocolVersion": BATCHING[0].name, "capabilities": {}}
    async with connected(server) as transport:
        transport.says(
            [{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}]
        )
        message = await transport.hears()
        assert message["error"]["code"] == INVALID_REQUEST


# Changes.


@every_stateful
async def test_a_session_is_told_what_changed(revision: Revision) -> None:
    server, _ = waiting()
    async with connected(server, revision) as transport:
        transport.asks(1, "resources/subscribe", {"uri": "docs://about"})
        assert (await transport.hears())["result"] == {}
        server.changes.publish(ListChanged("prompts"))
        server.changes.publish(ResourceUpdated("docs://other"))
        server.changes.publish(ResourceUpdated("docs://about"))
        assert await transport.hears() == {
            "jsonrpc": "2.0",
            "method": "notifications/prompts/list_changed",
        }
        assert await transport.hears() == {
            "jsonrpc": "2.0",
            "method": "notifications/resources/updated",
            "params": {"uri": "docs://about"},
        }
        transport.asks(2, "resources/unsubscribe", {"uri": "docs://about"})
        assert (await transport.hears())["id"] == 2
        server.changes.publish(ResourceUpdated("docs://about"))
        await transport.catches_up()
    assert transport.unheard == 0


async def test_who_has_not_shaken_hands_is_told_nothing() -> None:
    server, _ = waiting()
    hello = {"protocolVersion": LATEST_STATEFUL.name, "capabilities": {}}
    async with connected(server) as transport:
        server.changes.publish(ListChanged("tools"))
        transport.asks(1, "initialize", hello)
        assert (await transport.hears())["id"] == 1
        server.changes.publish(ListChanged("tools"))
        await transport.catches_up()
    assert transport.unheard == 0


async def test_a_stateless_client_hears_what_it_listens_for() -> None:
    server, _ = waiting()
    async with connected(server) as transport:
        wanted = stateless(notifications={"toolsListChanged": True})
        transport.asks("L", "subscriptions/listen", wanted)
        message = await transport.hears()
        assert message["method"] == "notifications/subscriptions/acknowledged"
        server.changes.publish(ListChanged("prompts"))
        server.changes.publish(ListChanged("tools"))
        message = await transport.hears()
        assert message["method"] == "notifications/tools/list_changed"
        transport.tells("notifications/cancelled", requestId="L")
        transport.asks(2, "tools/list", stateless())
        assert (await transport.hears())["id"] == 2
        server.changes.publish(ListChanged("tools"))
        transport.asks(3, "tools/list", stateless())
        assert (await transport.hears())["id"] == 3
    assert transport.unheard == 0


async def test_the_server_ends_what_a_client_listens_to() -> None:
    server, _ = waiting()
    async with connected(server) as transport:
        transport.asks("L", "subscriptions/listen", stateless(notifications={}))
        await transport.hears()
        server.end_streams()
        message = await transport.hears()
        assert message["id"] == "L"
        assert message["result"]["resultType"] == "complete"


async def test_a_connection_is_not_let_go_where_nobody_comes_back() -> None:
    """A tool may ask for it; only HTTP can."""
    shelf = Shelf()

    @shelf.tool
    async def polled(ctx: Context) -> str:
        ctx.close_stream()
        await asyncio.sleep(0)
        ctx.close_stream()
        return "done"

    async with connected(serving(shelf), LATEST_STATEFUL) as transport:
        transport.asks(1, "tools/call", {"name": "polled"})
        message = await transport.hears()
    assert message["result"]["content"][0]["text"] == "done"


async def test_a_change_that_cannot_be_told_is_no_matter(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "mcp_transport")
    server, _ = waiting()
    async with connected(server, LATEST_STATEFUL) as transport:
        transport.asks(1, "ping")
        await transport.hears()
        transport.broken = True
        server.changes.publish(ListChanged("tools"))
        await asyncio.sleep(0)
        transport.broken = False
        transport.asks(2, "ping")
        assert (await transport.hears())["id"] == 2
    assert "a change could not be told" in caplog.text


@every_revision
async def test_who_the_client_says_it_is_is_told(revision: Revision) -> None:
    met: list[Any] = []
    transport, info = Scripted(), {"name": "app", "version": "1"}
    transport.says(b"no message")
    if revision.stateful:
        params: Json = {"protocolVersion": revision.name, "clientInfo": info}
        transport.asks(1, "initialize", {**params, "capabilities": {}})
    else:
        meta = {VERSION_KEY: revision.name, CAPABILITIES_KEY: {}, CLIENT_INFO_KEY: info}
        transport.asks(1, "tools/list", {"_meta": meta})
    transport.goes()
    await serve(serving(), transport, ANONYMOUS, BINDING, met=met.append)
    assert [(peer.client, peer.revision) for peer in met] == [("app 1", revision)]
