"""What a caller may not, or not so often: how it is told at every revision and door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from mcp_transport import Caller
from mcp_transport.conf import get_server
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.transports.delivery import Deliveries
from mcp_transport.transports.open_streams import get_open_streams
from mcp_transport.transports.websocket import MCPConsumer
from tests.websocket.peer import Peer, connected, stateless
from tests.wire.client import ALL, BOUND_S, LEGACY, MODERN, Client
from tests.wire.conftest import Opened
from tests.wire.holding import becomes_true, gates
from tests.wire.listener import listening
from tests.wire.tokens import ALICE, BOB

HERE = "tests.wire.test_bounds"
Json = dict[str, Any]


async def all_closed() -> None:
    """Wait until no stream is open: closing one takes a turn, or a thread."""
    async with asyncio.timeout(BOUND_S):
        while len(get_open_streams()):  # noqa: ASYNC110 - closed by any thread
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
async def nothing_stays(configured: None) -> AsyncIterator[None]:
    yield
    await all_closed()


# What a token does not grant.


class Narrow:
    """Knows somebody who may echo, and nothing else."""

    async def authenticate(self, token: str) -> Caller | None:
        return Caller("carol", frozenset({"tools:call:echo"}))


NARROW = {"AUTHENTICATORS": [f"{HERE}.Narrow"]}
LACKING: tuple[tuple[str, Json, str], ...] = (
    ("tools/call", {"name": "hold", "arguments": {}}, "tools:call:hold"),
    ("resources/read", {"uri": "doc://one"}, "resources:read"),
    ("prompts/get", {"name": "asking"}, "prompts:get"),
)


def lacks(message: Json, scope: str) -> bool:
    error = {"code": 403, "message": f"this needs the scope {scope}"}
    return bool(message["error"] == error)


@pytest.mark.parametrize("conf", [NARROW])
@pytest.mark.parametrize("revision", ALL)
async def test_a_missing_scope_is_challenged(opened: Opened, revision: str) -> None:
    async with opened(revision) as client:
        assert await client.text("echo", text="a") == "a"
        for method, params, scope in LACKING:
            message = client.message(method, params)
            answer = await client.send(message)
            assert answer.status_code == 403
            assert answer.headers["www-authenticate"] == (
                f'Bearer realm="mcp", error="insufficient_scope", scope="{scope}"'
            )
            assert lacks(client.hear(answer.json()), scope)
            assert answer.json()["id"] == message["id"]
        unknown = client.message("tools/call", {"name": "none", "arguments": {}})
        assert (await client.send(unknown)).status_code != 403


@pytest.mark.parametrize("conf", [NARROW])
async def test_in_a_batch_it_is_told_beside_the_others(opened: Opened) -> None:
    async with opened("2025-03-26") as client:
        method, params, scope = LACKING[0]
        batch = [client.message("ping"), client.message(method, params)]
        answer = await client.send(batch)
    assert (answer.status_code, "www-authenticate" in answer.headers) == (200, False)
    pong, refused = answer.json()
    assert pong["result"] == {}
    assert lacks(refused, scope)


@pytest.mark.parametrize("conf", [NARROW])
@pytest.mark.parametrize("revision", LEGACY)
async def test_by_http_with_sse_it_is_told_on_the_stream(
    http: httpx.AsyncClient, revision: str
) -> None:
    async with listening(http, revision) as client:
        for method, params, scope in LACKING:
            assert lacks(await client.request(method, params), scope)
        assert (await client.call("echo", text="a"))["content"][0]["text"] == "a"


@pytest.mark.parametrize("conf", [NARROW])
async def test_by_websocket_it_is_told_by_a_message() -> None:
    async with connected(MCPConsumer.as_asgi()) as peer:
        for id, (method, params, scope) in enumerate(LACKING):
            peer.sends(stateless(method, id, **params))
            message = await peer.hears()
            assert message["id"] == id
            assert lacks(message, scope)


# How often.


@pytest.mark.parametrize("conf", [{"RATE_PER_TOKEN": "4/d"}])
@pytest.mark.parametrize("revision", ALL)
async def test_beyond_its_rate_a_token_is_told_when_to_come_back(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        # Shaking hands is a request as well.
        left = 3 if client.stateful else 4
        for _ in range(left):
            assert (await client.send(client.message("tools/list"))).status_code == 200
        for _ in range(2):
            answer = await client.send(client.message("tools/list"))
            assert answer.status_code == 429
            message = client.hear(answer.json())
            assert message["error"]["code"] == 429
            assert message["error"]["message"] == "more than 4/d requests"
            retry_after = message["error"]["data"]["retryAfter"]
            assert answer.headers["retry-after"] == str(retry_after)
            assert 1 <= retry_after <= 86_400
    async with opened(revision, token=BOB) as other:
        assert (await other.send(other.message("tools/list"))).status_code == 200


@pytest.mark.parametrize("conf", [{"RATE_PER_TOKEN": "3/d"}])
async def test_each_message_of_a_batch_counts(opened: Opened) -> None:
    async with opened("2025-03-26") as client:
        answer = await client.send([client.message("ping") for _ in range(4)])
    assert answer.status_code == 200
    said = answer.json()
    codes = [message.get("error", {}).get("code") for message in said]
    assert codes == [None, None, 429, 429]


@pytest.mark.parametrize("conf", [{"RATE_PER_SESSION": "3/d"}])
@pytest.mark.parametrize("revision", LEGACY)
async def test_a_session_has_a_rate_of_its_own(opened: Opened, revision: str) -> None:
    async with opened(revision) as one, opened(revision) as other:
        for client in (one, other):
            statuses = [
                (await client.send(client.message("ping"))).status_code
                for _ in range(3)
            ]
            assert statuses == [200, 200, 429]


@pytest.mark.parametrize("conf", [{"RATE_PER_TOKEN": "2/d"}])
async def test_by_websocket_each_message_counts_and_none_ends_the_connection() -> None:
    async with connected(MCPConsumer.as_asgi()) as peer:
        for id in range(4):
            peer.sends(stateless("tools/list", id))
            message = await peer.hears()
            assert message["id"] == id
            assert ("result" in message) is (id < 2)
        assert message["error"]["code"] == 429
        assert message["error"]["data"]["retryAfter"] >= 1


# How much at a time.


@pytest.mark.parametrize("conf", [{"MAX_CALLS": 2}])
@pytest.mark.parametrize("revision", ALL)
async def test_one_call_too_many_is_told_when_to_come_back(
    opened: Opened, revision: str, gate: str
) -> None:
    async with AsyncExitStack() as clients, asyncio.TaskGroup() as group:
        # A session each: the bound is the caller's.
        held = []
        for number in range(2):
            client = await clients.enter_async_context(opened(revision))
            held.append(group.create_task(client.text("hold", gate=f"{gate}{number}")))
            await becomes_true(gates[f"{gate}{number}"].entered)
        answer = await client.send(client.message("tools/list"))
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "1"
        client.hear(answer.json())
        other = await clients.enter_async_context(opened(revision, token=BOB))
        assert await other.text("echo", text="a") == "a"
        for number in range(2):
            gates[f"{gate}{number}"].opened.set()
        for call in held:
            assert (await call).startswith("released")
        assert await client.text("echo", text="a") == "a"


STREAMS = {"MAX_STREAMS": 2}


@pytest.mark.parametrize("conf", [STREAMS])
@pytest.mark.parametrize("revision", LEGACY)
async def test_one_stream_too_many_is_told_when_to_come_back(
    opened: Opened, revision: str
) -> None:
    async with AsyncExitStack() as clients:

        async def session(token: str = ALICE) -> Client:
            return await clients.enter_async_context(opened(revision, token=token))

        first, second, third, other = [
            await session(token) for token in (ALICE, ALICE, ALICE, BOB)
        ]
        async with first.stream(), second.stream(), other.stream():
            answer = await third.get()
            assert answer.status_code == 429
            assert answer.headers["retry-after"] == "5"
            assert "2 streams and sockets are open" in answer.text
            # It has other ways: a call that streams takes no such room.
            assert await third.text("count", to=3) == "counted to 3"
        await all_closed()
        async with third.stream() as reply:
            assert reply.status == 200


@pytest.mark.parametrize("conf", [STREAMS])
async def test_sockets_and_streams_of_all_doors_share_that_room(
    http: httpx.AsyncClient, opened: Opened
) -> None:
    application: Any = MCPConsumer.as_asgi()
    async with opened("2025-11-25") as client, client.stream():
        async with listening(http):
            peer = Peer(application)
            await peer.opens()
            assert await peer.closed() == 4429
            headers = {"Host": "127.0.0.1", "Authorization": f"Bearer {ALICE}"}
            refused = await http.get("/sse", headers=headers)
            assert refused.status_code == 429
        async with asyncio.timeout(BOUND_S):
            while len(get_open_streams()) > 1:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.005)
        async with connected(application):
            assert (await http.get("/sse", headers=headers)).status_code == 429


@pytest.mark.parametrize("conf", [{"MAX_OPEN_STREAMS": 1}])
async def test_a_full_process_takes_no_stream_and_answers_what_it_has_taken(
    http: httpx.AsyncClient, opened: Opened
) -> None:
    bobs = {"Host": "127.0.0.1", "Authorization": f"Bearer {BOB}"}
    async with (
        opened("2025-11-25") as client,
        client.stream(),
        opened("2025-06-18", token=BOB) as other,
    ):
        for answer in (await other.get(), await http.get("/sse", headers=bobs)):
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "1"
        socket = {"authorization": bobs["Authorization"]}
        peer = Peer(MCPConsumer.as_asgi(), headers=socket)
        await peer.opens()
        assert await peer.closed() == 4503
        assert await other.text("count", to=3) == "counted to 3"


# What a stream leaves behind.


@pytest.mark.parametrize("revision", ALL)
async def test_nothing_stays_of_a_call_that_was_streamed(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        params = {"name": "count", "arguments": {"to": 25}}
        async with client.open(client.message("tools/call", params)) as reply:
            assert reply.is_stream
            said = [message async for message in reply.messages()]
        assert "result" in said[-1]
        await all_closed()


@pytest.mark.parametrize("revision", ALL)
async def test_nothing_stays_of_a_client_that_went(
    opened: Opened, revision: str, gate: str
) -> None:
    async with opened(revision) as client:
        arguments = {"gate": gate, "aloud": True}
        params = {
            "name": "hold",
            "arguments": arguments,
            "_meta": {"progressToken": 1},
        }
        async with client.open(client.message("tools/call", params)) as reply:
            await reply.message()
            assert len(get_open_streams()) == 1
        await all_closed()
        gates[gate].opened.set()
        await becomes_true(gates[gate].ended)


@pytest.mark.parametrize("revision", LEGACY)
async def test_nothing_stays_of_a_session_that_was_ended(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client, client.stream() as reply:
        await reply.piece()
        assert (await client.send(None, verb="DELETE")).status_code == 204
        while await reply.piece() is not None:
            pass
        await all_closed()


@pytest.mark.parametrize(
    ("error", "status"), [(StoreUnavailable(), 503), (RuntimeError("odd"), 500)]
)
async def test_nothing_stays_of_a_door_that_fails(
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    status: int,
) -> None:
    async def fail(*_: object) -> None:
        raise error

    async with opened("2025-11-25") as client:
        monkeypatch.setattr(Deliveries, "read", fail)
        assert (await client.get()).status_code == status
        assert len(get_open_streams()) == 0
        # Nor of what is refused before there is a stream.
        assert (await client.get("no position")).status_code == 404
        assert len(get_open_streams()) == 0


async def test_a_listener_that_leaves_makes_room_for_its_caller(
    opened: Opened,
) -> None:
    async with opened(MODERN) as client:
        wanted = {"notifications": {"toolsListChanged": True}}
        for _ in range(get_server().limits.max_streams + 1):
            message = client.message("subscriptions/listen", wanted)
            async with client.open(message) as reply:
                assert "acknowledged" in (await reply.message())["method"]
            await all_closed()
            async with asyncio.timeout(BOUND_S):
                while len(get_server().calls):  # noqa: ASYNC110 - cancelled calls
                    await asyncio.sleep(0.005)
