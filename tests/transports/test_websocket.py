"""The WebSocket in this process: who gets in, what ends a connection."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from django.contrib.auth.models import Group
from django.core.asgi import get_asgi_application
from django.db import connections
from django.test import override_settings
from django.views.debug import ExceptionReporter
from django.views.decorators.debug import sensitive_variables

from mcp_transport import Caller, Context, Shelf
from mcp_transport.asgi import Application, mount
from mcp_transport.conf import get_server
from mcp_transport.connections import _shared
from mcp_transport.protocol.errors import (
    TOO_MANY_REQUESTS,
    UNSUPPORTED_PROTOCOL_VERSION,
)
from mcp_transport.protocol.revisions import LATEST_STATEFUL
from mcp_transport.routing import websocket_urlpatterns
from mcp_transport.transports.websocket import MCPConsumer, Reason
from tests.rawasgi import ask
from tests.test_middleware import ALLOWED, HOSTS, ORIGINS
from tests.websocket.peer import (
    ACCEPTED,
    BOUND_S,
    REFUSED,
    Peer,
    call,
    connected,
    stateless,
)
from tests.wire.tokens import ALICE, BOB

HERE = "tests.transports.test_websocket"
MCP: dict[str, Any] = {
    "CATALOGUE": f"{HERE}.shelf",
    "AUTHENTICATORS": ["tests.wire.tokens.KnownTokens"],
}
ANONYMOUS: dict[str, str | None] = {"authorization": None}

shelf = Shelf()
ended: list[str] = []


@shelf.tool
async def who(ctx: Context) -> str:
    """Tell who calls."""
    return ctx.caller.subject


@shelf.tool
async def wait() -> str:
    """Wait for ever."""
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        ended.append("ended")
    return "never"


@shelf.tool
async def groups() -> int:
    """Ask the database, on the event loop."""
    return await Group.objects.acount()


application: Any = MCPConsumer.as_asgi()


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    ended.clear()
    with override_settings(MCP=MCP):
        yield


async def turned_away(**options: Any) -> int:
    """Return the code that a client is told after it was accepted."""
    peer = Peer(application, **options)
    assert await peer.opens() == ACCEPTED
    code: int = await peer.closed()
    return code


async def refused(application: Application, **options: Any) -> None:
    peer = Peer(application, **options)
    assert await peer.opens() == REFUSED
    await peer.ended()


# The handshake.


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("host", HOSTS)
async def test_only_our_hosts_and_allowed_origins_get_in(
    host: str | None, origin: str | None
) -> None:
    headers = {"host": host, "origin": origin}
    with override_settings(MCP={**MCP, "ALLOWED_ORIGINS": ALLOWED}):
        if HOSTS[host] and ORIGINS[origin]:
            async with connected(application, headers=headers):
                return
        await refused(application, headers=headers)


@pytest.mark.parametrize("origin", ORIGINS)
async def test_unconfigured_every_origin_is_refused(origin: str | None) -> None:
    if origin is None:
        async with connected(application, headers={"origin": None}):
            return
    await refused(application, headers={"origin": origin})


@pytest.mark.parametrize("offered", [[], ["MCP"], ["chat"], [f"token-{ALICE}"]])
async def test_who_does_not_speak_the_subprotocol_is_refused(
    offered: list[str],
) -> None:
    await refused(application, subprotocols=offered)


@pytest.mark.parametrize(
    "offered", [["mcp"], ["chat", "mcp"], ["mcp", "ticket-1"], ["mcp", "token-x"]]
)
async def test_of_all_that_is_offered_the_subprotocol_is_taken(
    offered: list[str],
) -> None:
    async with connected(application, subprotocols=offered):
        pass


async def test_it_can_be_switched_off() -> None:
    with override_settings(MCP={**MCP, "TRANSPORTS": ["streamable-http"]}):
        await refused(application)


# Credentials.


@pytest.mark.parametrize(
    ("authorization", "offered"),
    [
        (f"Bearer {ALICE}", ["mcp"]),
        (f"bearer  {ALICE} ", ["mcp"]),
        (None, ["mcp", f"token-{ALICE}"]),
        (None, [f"token-{ALICE}", "chat", "mcp"]),
        # The header decides.
        (f"Bearer {ALICE}", ["mcp", f"token-{BOB}"]),
        (f"Bearer {ALICE}", ["mcp", "token-unknown"]),
        # A scheme of somebody else's is no credential of ours.
        ("Basic YTpi", ["mcp", f"token-{ALICE}"]),
    ],
)
async def test_a_token_comes_in_the_header_or_among_the_subprotocols(
    authorization: str | None, offered: list[str]
) -> None:
    async with connected(
        application, headers={"authorization": authorization}, subprotocols=offered
    ) as peer:
        peer.sends(call("who"))
        result = (await peer.hears())["result"]
        assert result["content"][0]["text"] == "alice"


@pytest.mark.parametrize(
    ("headers", "offered"),
    [
        (ANONYMOUS, ["mcp"]),
        ({"authorization": "Bearer unknown"}, ["mcp"]),
        ({"authorization": "Bearer"}, ["mcp"]),
        ({"authorization": f"Bearer {ALICE}, Bearer {BOB}"}, ["mcp"]),
        ({"authorization": f"Bearer {'a' * 9000}"}, ["mcp"]),
        ({"authorization": "Bearer unknown"}, ["mcp", f"token-{ALICE}"]),
        ({"authorization": "Bearer"}, ["mcp", f"token-{ALICE}"]),
        ({"authorization": "Basic YTpi"}, ["mcp"]),
        (ANONYMOUS, ["mcp", "token-unknown"]),
        (ANONYMOUS, ["mcp", "token-"]),
        (ANONYMOUS, ["mcp", f"Token-{ALICE}"]),
        (ANONYMOUS, ["mcp", ALICE]),
        (ANONYMOUS, ["mcp", f"token-{ALICE}", f"token-{ALICE}"]),
        (ANONYMOUS, ["mcp", f"token-{ALICE} {BOB}"]),
        ({**ANONYMOUS, "cookie": f"token={ALICE}"}, ["mcp"]),
    ],
)
async def test_without_a_valid_token_nobody_stays(
    headers: dict[str, str | None], offered: list[str]
) -> None:
    assert await turned_away(headers=headers, subprotocols=offered) == 4401


@pytest.mark.parametrize("name", ["token", "access_token", "authorization", "ticket"])
async def test_the_query_string_is_not_looked_at(name: str) -> None:
    path = f"/ws?{name}={ALICE}"
    assert await turned_away(path=path, headers=ANONYMOUS) == 4401
    async with connected(application, path="/ws?token=unknown"):
        pass


@pytest.mark.parametrize(
    ("client", "host", "let_in"),
    [
        (("127.0.0.1", 1), "localhost", True),
        (("::1", 1), "[::1]:8000", True),
        (("10.0.0.1", 1), "localhost", False),
        (("127.0.0.1", 1), "testserver", False),
        (None, "localhost", False),
    ],
)
async def test_without_a_token_only_this_machine_gets_in_and_only_if_configured(
    client: tuple[str, int] | None, host: str, let_in: bool
) -> None:
    options: dict[str, Any] = {"headers": {"host": host, **ANONYMOUS}, "client": client}
    assert await turned_away(**options) == 4401
    with override_settings(MCP={**MCP, "ALLOW_ANONYMOUS": True}):
        if not let_in:
            assert await turned_away(**options) == 4401
            return
        async with connected(application, **options) as peer:
            peer.sends(call("who"))
            assert "result" in await peer.hears()
        wrong = {"host": host, "authorization": "Bearer unknown"}
        assert await turned_away(headers=wrong, client=client) == 4401


class Changing:
    """An authenticator whose mind can be changed; each answer is a new object."""

    now: Caller | Exception | None

    @sensitive_variables()
    async def authenticate(self, token: str) -> Caller | None:
        if isinstance(self.now, Exception):
            raise self.now
        if self.now is None:
            return None
        return Caller(self.now.subject, self.now.scopes, self.now.permissions)


CHANGING = {**MCP, "AUTHENTICATORS": [f"{HERE}.Changing"]}
FULL = Caller("ada", frozenset({"*"}), frozenset({"shop.view_order"}))


@pytest.mark.parametrize(
    ("later", "stays"),
    [
        (Caller("ada", frozenset({"*"}), frozenset({"shop.view_order"})), True),
        (Caller("ada", frozenset({"*"})), False),
        (Caller("ada", frozenset(), frozenset({"shop.view_order"})), False),
        (Caller("bob", frozenset({"*"}), frozenset({"shop.view_order"})), False),
        (None, False),
    ],
)
async def test_with_each_message_the_token_must_grant_what_it_did(
    monkeypatch: pytest.MonkeyPatch, later: Caller | None, stays: bool
) -> None:
    monkeypatch.setattr(Changing, "now", FULL, raising=False)
    with override_settings(MCP=CHANGING):
        peer = Peer(application)
        assert await peer.opens() == ACCEPTED
        peer.sends(call("wait", 1))
        peer.sends(call("who", 2))
        assert (await peer.hears())["id"] == 2
        monkeypatch.setattr(Changing, "now", later)
        peer.sends(call("who", 3))
        if stays:
            assert (await peer.hears())["id"] == 3
            assert ended == []
            await peer.goes()
        else:
            assert await peer.closed() == 4401
    assert ended == ["ended"]


# What ends a connection.


@pytest.mark.parametrize("frame", [b"", stateless("tools/list").encode()])
async def test_a_binary_frame_ends_it(frame: bytes) -> None:
    peer = Peer(application)
    await peer.opens()
    peer.sends(call("wait"))
    peer.sends(frame)
    assert await peer.closed() == 4400
    assert ended == ["ended"]


@pytest.mark.parametrize("padding", [" ", "é"])
async def test_a_message_over_the_limit_ends_it(padding: str) -> None:
    message = call("who", note=padding * 50)
    size = len(message.encode())
    with override_settings(MCP={**MCP, "MAX_BODY_BYTES": size}):
        peer = Peer(application)
        await peer.opens()
        peer.sends(message)
        assert (await peer.hears())["id"] == 1
        peer.sends(message + " ")
        assert await peer.closed() == 4413


async def test_a_flood_of_requests_ends_it() -> None:
    with override_settings(MCP={**MCP, "MAX_IN_FLIGHT": 2}):
        peer = Peer(application)
        await peer.opens()
        for id in range(6):
            peer.sends(call("wait", id))
        for id in (2, 3, 4):
            message = await peer.hears()
            assert (message["id"], message["error"]["code"]) == (id, TOO_MANY_REQUESTS)
        assert await peer.closed() == 4429
    assert ended == ["ended"] * 2


async def test_what_is_no_message_is_answered_and_ends_nothing() -> None:
    async with connected(application) as peer:
        for text in ("", "{", "[]", "5"):
            peer.sends(text)
            assert "error" in await peer.hears()
        peer.sends(call("who"))
        assert "result" in await peer.hears()


async def test_when_the_client_goes_its_calls_end_and_nothing_more_is_sent() -> None:
    peer = Peer(application)
    await peer.opens()
    for id in range(3):
        peer.sends(call("wait", id))
    await peer.goes()
    assert ended == ["ended"] * 3
    assert len(get_server().calls) == 0


async def test_a_server_that_says_in_sending_that_the_client_has_gone() -> None:
    """As uvicorn does."""
    sent: list[str] = []

    async def over_a_broken_line(scope: Any, receive: Any, send: Any) -> None:
        async def breaking(event: Any) -> None:
            sent.append(event["type"])
            if event["type"] != "websocket.accept":
                raise OSError
            await send(event)

        await application(scope, receive, breaking)

    peer = Peer(over_a_broken_line)
    await peer.opens()
    peer.sends(call("wait", 1))
    peer.sends(call("who", 2))
    await peer.ended()
    assert sent == ["websocket.accept", "websocket.send"]
    peer = Peer(over_a_broken_line)
    await peer.opens()
    peer.sends(b"")
    await peer.ended()
    assert sent[2:] == ["websocket.accept", "websocket.close"]
    assert ended == ["ended"]


@pytest.mark.parametrize("later", [False, True])
async def test_a_failure_ends_it_and_says_nothing_to_the_peer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, later: bool
) -> None:
    failure = RuntimeError("the secret text")
    monkeypatch.setattr(Changing, "now", FULL if later else failure, raising=False)
    peer = Peer(application, headers=ANONYMOUS, subprotocols=["mcp", f"token-{ALICE}"])
    with override_settings(MCP=CHANGING):
        assert await peer.opens() == ACCEPTED
        if later:
            peer.sends(call("who"))
            assert "result" in await peer.hears()
            monkeypatch.setattr(Changing, "now", failure)
            peer.sends(call("who"))
        assert await peer.closed() == 4500
    (record,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    said = "a WebSocket failed" if later else "a WebSocket could not be opened"
    assert (record.name, record.getMessage()) == ("mcp_transport", said)
    assert record.exc_info is not None
    report = ExceptionReporter(None, *record.exc_info).get_traceback_html()
    assert "authenticate" in report
    assert ALICE not in report


def test_the_codes_are_for_applications_but_that_of_a_server_that_goes() -> None:
    codes = [reason.value for reason in Reason]
    assert codes == [1001, 4400, 4401, 4410, 4413, 4429, 4500, 4503]


# One connection beside another.


async def test_each_connection_has_a_state_of_its_own() -> None:
    hello = {
        "jsonrpc": "2.0",
        "id": 2,
        "method": "initialize",
        "params": {"protocolVersion": LATEST_STATEFUL.name, "capabilities": {}},
    }
    cancel = {
        "jsonrpc": "2.0",
        "method": "notifications/cancelled",
        "params": {"requestId": 1},
    }
    bob = {"authorization": f"Bearer {BOB}"}
    async with (
        connected(application) as one,
        connected(application, headers=bob) as other,
    ):
        one.sends(call("wait", 1))
        other.sends(json.dumps(cancel))
        other.sends(json.dumps(hello))
        assert "result" in await other.hears()
        one.sends(json.dumps(hello))
        error = (await one.hears())["error"]
        assert error["code"] == UNSUPPORTED_PROTOCOL_VERSION
        assert ended == []


# The database.


@pytest.mark.django_db(transaction=True)
async def test_what_a_call_opened_is_closed_behind_its_answer() -> None:
    await sync_to_async(connections.close_all)()
    wrapper = await sync_to_async(lambda: connections["default"])()
    async with connected(application) as peer:
        for id in range(2):
            peer.sends(call("groups", id))
            assert (await peer.hears())["result"]["structuredContent"] == 0
            assert _shared.closing is not None
            async with asyncio.timeout(BOUND_S):
                await _shared.closing
            assert wrapper.connection is None


# Where it is mounted.


async def beside(scope: Any, receive: Any, send: Any) -> None:
    """Stands for the project's own application."""
    await receive()
    await send({"type": "websocket.accept", "subprotocol": scope["path"]})
    await receive()


@pytest.mark.parametrize("path", ["/ws", "/ws/"])
async def test_it_stands_in_a_router_of_the_project(path: str) -> None:
    async with connected(URLRouter(websocket_urlpatterns), path=path) as peer:
        peer.sends(call("who"))
        assert "result" in await peer.hears()


@pytest.mark.parametrize(
    ("mounted", "path", "root", "served"),
    [
        ("/mcp", "/ws", None, True),
        ("/mcp", "/ws/", "", True),
        ("/mcp/", "/ws", "", True),
        ("/", "/ws", "", True),
        ("/api/mcp", "/api/ws", "", True),
        ("/api/mcp", "/api/ws/", "", True),
        ("/mcp", "/app/ws", "/app", True),
        ("/mcp", "/ws", "/app", True),
        ("/api/mcp", "/ws", "", False),
        ("/mcp", "/mcp", "", False),
        ("/mcp", "/ws//", "", False),
        ("/mcp", "/ws/x", "", False),
        ("/mcp", "/", "", False),
    ],
)
async def test_the_mount_serves_it_beside_the_endpoint(
    mounted: str, path: str, root: str | None, served: bool
) -> None:
    if served:
        peer = Peer(mount(beside, mounted), path=path, root_path=root)
        assert await peer.opens() == ACCEPTED
        await peer.goes()
        return
    peer = Peer(mount(beside, mounted), path=path, root_path=root)
    assert await peer.opens() == {"type": "websocket.accept", "subprotocol": path}
    await peer.goes()
    await refused(mount(get_asgi_application(), mounted), path=path, root_path=root)


async def test_switched_off_its_path_is_the_applications_own() -> None:
    with override_settings(MCP={**MCP, "TRANSPORTS": ["streamable-http"]}):
        peer = Peer(mount(beside))
        assert (await peer.opens())["subprotocol"] == "/ws"
        await peer.goes()


async def test_without_channels_http_is_served_and_a_socket_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "channels", None)
    application = mount(get_asgi_application())
    assert (await ask(application)).status == 200
    await refused(application)
