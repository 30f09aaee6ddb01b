"""WebSockets over stock daphne, spoken by a client library of somebody else's."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from mcp_transport.protocol.errors import TOO_MANY_REQUESTS
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL, STATEFUL
from mcp_transport.transports.client import Client
from tests.engine.exchanges import every_revision, every_stateful, over, text_of
from tests.serving import Served, daphne
from tests.websocket.client import ALICES, BOUND_S, connected, opened
from tests.websocket.peer import call, stateless
from tests.wire.tokens import ALICE, BOB

BATCHING = [revision for revision in STATEFUL.values() if revision.batching]
OURS = "https://app.example.com"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Nothing that a client does here may leave a traceback, or a token, in the log."""
    log = tmp_path_factory.mktemp("websocket") / "daphne.log"
    environ = {"DJANGO_SETTINGS_MODULE": "tests.websocket.settings"}
    with daphne("tests.websocket.asgi:application", log, environ=environ) as server:
        yield server
        said = server.said()
    assert "WSCONNECT /ws" in said
    assert "Traceback" not in said
    assert "Error" not in said
    assert ALICE not in said
    assert BOB not in said


@pytest.fixture
def gate() -> str:
    return secrets.token_hex(8)


async def text(client: Client, tool: str, **arguments: Any) -> str:
    async with asyncio.timeout(BOUND_S):
        return text_of(await client.call_tool(tool, arguments))


async def answer(params: Any) -> dict[str, Any]:
    return {"action": "accept", "content": {"a": "Oslo"}}


# What is said.


@every_revision
async def test_every_revision_is_served(served: Served, revision: Revision) -> None:
    async with connected(served, revision, elicit=answer) as client:
        names = [tool["name"] for tool in await client.list_tools()]
        assert {"echo", "hold", "ask"} <= set(names)
        said = "é" * 20_000
        result = await client.call_tool("echo", {"text": said}, progress_token="p")
        assert text_of(result) == said
        assert [name for name, _ in client.notifications] == ["notifications/progress"]
        if ("elicitation", "form") in revision.asks:
            assert await text(client, "ask") == "Oslo"


@every_revision
async def test_a_cancel_arrives_in_time(
    served: Served, revision: Revision, gate: str
) -> None:
    async with connected(served, revision) as client:
        calling = asyncio.create_task(client.call_tool("hold", {"gate": gate}))
        await text(client, "entered", gate=gate)
        calling.cancel()
        assert await text(client, "fate", gate=gate) == "cancelled"


@every_revision
@pytest.mark.parametrize("politely", [True, False])
async def test_with_the_client_go_its_calls(
    served: Served, revision: Revision, politely: bool, gate: str
) -> None:
    async with connected(served, LATEST) as watching:
        socket = await opened(served)
        if revision.stateful:
            await shake_hands(socket, revision)
            params = {"name": "hold", "arguments": {"gate": gate}}
            message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
            await socket.send(json.dumps({**message, "params": params}))
        else:
            await socket.send(call("hold", gate=gate))
        await text(watching, "entered", gate=gate)
        if politely:
            await socket.close()
        else:
            socket.transport.abort()
        assert await text(watching, "fate", gate=gate) == "cancelled"


@every_stateful
async def test_changes_are_told(served: Served, revision: Revision) -> None:
    async with (
        connected(served, revision) as one,
        connected(served, revision) as other,
    ):
        await text(one, "change")
        for client in (one, other):
            # What comes behind a change is heard behind it.
            await client.request("ping")
            told = [name for name, _ in client.notifications]
            assert told[0] == "notifications/tools/list_changed"


@over(*BATCHING)
async def test_batches_are_taken(served: Served, revision: Revision) -> None:
    async with opened(served) as socket:
        await shake_hands(socket, revision)
        ping = {"jsonrpc": "2.0", "method": "ping"}
        await socket.send(json.dumps([{**ping, "id": 1}, {**ping, "id": 2}]))
        answers = [json.loads(await heard(socket)) for _ in range(2)]
    assert [answer["id"] for answer in answers] == [1, 2]


async def test_many_sockets_are_served_at_once(served: Served) -> None:
    async def one(number: int) -> str:
        async with connected(served, LATEST) as client:
            return await text(client, "echo", text=str(number))

    said = await asyncio.gather(*(one(number) for number in range(50)))
    assert said == [str(number) for number in range(50)]


# One socket does not hold up another.


@pytest.mark.parametrize("tool", ["hold_thread", "hold_shared_thread"])
async def test_what_blocks_a_thread_holds_up_no_message(
    served: Served, tool: str, gate: str
) -> None:
    """Channels would hop to the one shared thread on each message."""
    async with (
        connected(served, LATEST) as one,
        connected(served, LATEST_STATEFUL) as other,
    ):
        holding = asyncio.create_task(text(one, tool, gate=gate))
        for client in (one, other):
            assert await text(client, "echo", text="free") == "free"
        assert not holding.done()
        await text(other, "release", gate=gate)
        assert await holding == "true"


# Who gets in.


@pytest.mark.parametrize(
    ("path", "subprotocols", "headers"),
    [
        ("/ws", [], ALICES),
        ("/ws", ["chat"], ALICES),
        ("/ws", ["mcp"], {**ALICES, "Origin": "https://evil.example"}),
        ("/ws", ["mcp"], {**ALICES, "Origin": "null"}),
        ("/", ["mcp"], ALICES),
        ("/mcp", ["mcp"], ALICES),
        ("/elsewhere", ["mcp"], ALICES),
    ],
)
async def test_what_is_refused_before_it_is_accepted(
    served: Served, path: str, subprotocols: Sequence[str], headers: Mapping[str, str]
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await opened(served, path=path, subprotocols=subprotocols, headers=headers)
    assert refused.value.response.status_code == 403


async def test_a_foreign_host_is_refused(served: Served) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await opened(served, host="evil.example")
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    ("subprotocols", "headers"),
    [
        (["mcp"], ALICES),
        (["mcp", f"token-{ALICE}"], {}),
        ([f"token-{ALICE}", "mcp"], {"Origin": OURS}),
        (["mcp", f"token-{BOB}"], ALICES),
    ],
)
async def test_the_token_is_not_said_back(
    served: Served, subprotocols: Sequence[str], headers: Mapping[str, str]
) -> None:
    async with opened(served, subprotocols=subprotocols, headers=headers) as socket:
        assert socket.subprotocol == "mcp"
        assert socket.response is not None
        assert ALICE not in str(socket.response.headers)
        await socket.send(call("caller"))
        result = json.loads(await heard(socket))["result"]
    assert result["content"][0]["text"] == "alice"


# What ends a connection, as the client is told.


@pytest.mark.parametrize(
    ("path", "subprotocols", "headers"),
    [
        ("/ws", ["mcp"], {}),
        ("/ws/", ["mcp"], {"Authorization": "Bearer unknown"}),
        ("/ws", ["mcp", "token-unknown"], {}),
        ("/ws?token=unknown", ["mcp"], {}),
    ],
)
async def test_without_a_valid_token_it_is_4401(
    served: Served, path: str, subprotocols: Sequence[str], headers: Mapping[str, str]
) -> None:
    opening = opened(served, path=path, subprotocols=subprotocols, headers=headers)
    async with opening as socket:
        assert socket.subprotocol == "mcp"
        assert await ended(socket) == 4401


async def test_a_binary_frame_is_4400(served: Served) -> None:
    async with opened(served) as socket:
        await socket.send(stateless("tools/list").encode())
        assert await ended(socket) == 4400


async def test_a_message_over_the_limit_is_4413(served: Served) -> None:
    async with opened(served) as socket:
        largest = call("echo", text="")
        largest = call("echo", text="x" * (100_000 - len(largest)))
        await socket.send(largest)
        assert "result" in json.loads(await heard(socket))
        await socket.send(largest + " ")
        assert await ended(socket) == 4413


async def test_a_flood_is_4429(served: Served, gate: str) -> None:
    async with opened(served) as socket:
        for id in range(9):
            await socket.send(call("hold", id, gate=gate))
        for id in range(4, 9):
            refusal = json.loads(await heard(socket))
            assert refusal["error"]["code"] == TOO_MANY_REQUESTS
            assert refusal["id"] == id
        assert await ended(socket) == 4429
    async with connected(served, LATEST) as client:
        assert await text(client, "fate", gate=gate) == "cancelled"


async def shake_hands(socket: Any, revision: Revision) -> None:
    hello = {"protocolVersion": revision.name, "capabilities": {}}
    message = {"jsonrpc": "2.0", "id": "hello", "method": "initialize"}
    await socket.send(json.dumps({**message, "params": hello}))
    assert "result" in json.loads(await heard(socket))
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    await socket.send(json.dumps(ready))


async def heard(socket: Any) -> str:
    """Return the next message."""
    async with asyncio.timeout(BOUND_S):
        text: str = await socket.recv()
    return text


async def ended(socket: Any) -> int:
    """Return the code with which the server ended the connection."""
    async with asyncio.timeout(BOUND_S):
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code
