"""Under WSGI: the stateless revision, answered by JSON, and clear refusals else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

from mcp_transport.conf import get_server
from tests.schemas import official
from tests.wire.client import LEGACY, META, MODERN, Client, Headers, pairs
from tests.wire.script import CALLS, LISTS

Answered = tuple[httpx.Response, dict[str, Any]]


class WSGIClient:
    """Sends what the other client would, and waits for the whole reply."""

    def __init__(self, application: WSGIHandler) -> None:
        door = httpx.WSGITransport(application, remote_addr="127.0.0.1")
        self.http = httpx.Client(transport=door, base_url="http://127.0.0.1")
        self.http.headers.clear()
        self.plain = Client(httpx.AsyncClient(), MODERN)

    def send(
        self, message: Any, verb: str = "POST", headers: Headers | None = None
    ) -> httpx.Response:
        content = message if isinstance(message, bytes | None) else json.dumps(message)
        sent = {**self.plain.headers(message), **(headers or {})}
        return self.http.request(verb, "/mcp", content=content, headers=pairs(sent))

    def ask(self, method: str, params: Any = None, **headers: Any) -> Answered:
        """Send a request; its answer has been held against the schema."""
        message = self.plain.message(method, params)
        response = self.send(message, headers=headers)
        answer = self.plain.hear(response.json())
        assert answer["id"] == message["id"]
        return response, answer


@pytest.fixture
def wsgi(configured: None) -> Iterator[WSGIClient]:
    client = WSGIClient(get_wsgi_application())
    yield client
    client.http.close()


def test_every_method_is_answered_by_json(wsgi: WSGIClient) -> None:
    for method in ("server/discover", *LISTS):
        response, answer = wsgi.ask(method)
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        assert "result" in answer
    for tool, arguments in CALLS:
        _, answer = wsgi.ask("tools/call", {"name": tool, "arguments": arguments})
        assert "result" in answer, tool
    for method, params in (
        ("resources/read", {"uri": "doc://one"}),
        ("prompts/get", {"name": "greet", "arguments": {"name": "a"}}),
        (
            "completion/complete",
            {
                "ref": {"type": "ref/prompt", "name": "greet"},
                "argument": {"name": "tone", "value": ""},
            },
        ),
    ):
        assert "result" in wsgi.ask(method, params)[1]


def test_what_comes_before_the_response_is_left_out(wsgi: WSGIClient) -> None:
    meta = {"progressToken": 1, META + "logLevel": "debug"}
    params = {"name": "talk", "arguments": {}, "_meta": meta}
    response, answer = wsgi.ask("tools/call", params)
    assert response.headers["content-type"] == "application/json"
    assert answer["result"]["content"] == [{"type": "text", "text": "3 steps"}]


def test_a_question_is_asked_in_rounds(wsgi: WSGIClient) -> None:
    call = {"name": "ask_roots", "arguments": {}}
    _, asked = wsgi.ask("tools/call", call)
    state = asked["result"]["requestState"]
    roots = {"roots": {"roots": [{"uri": "file:///x"}]}}
    again = {**call, "requestState": state, "inputResponses": roots}
    _, answer = wsgi.ask("tools/call", again)
    assert answer["result"]["structuredContent"] == ["file:///x"]


def test_nothing_that_needs_a_stream_is_offered(wsgi: WSGIClient) -> None:
    _, found = wsgi.ask("server/discover")
    offered = found["result"]["capabilities"]
    assert offered["tools"] == offered["prompts"] == offered["resources"] == {}
    response, answer = wsgi.ask("subscriptions/listen", {"notifications": {}})
    assert (response.status_code, answer["error"]["code"]) == (404, -32601)
    assert get_server().listeners == set()


@pytest.mark.parametrize("revision", LEGACY)
def test_there_are_no_sessions(wsgi: WSGIClient, revision: str) -> None:
    plain: Headers = {"MCP-Protocol-Version": None, "Mcp-Method": None}
    handshake = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": revision, "capabilities": {}},
    }
    response = wsgi.send(handshake, headers=plain)
    assert response.status_code == 400
    error = response.json()
    official(MODERN).check_error(error)
    assert (error["id"], error["error"]["code"]) == (1, -32022)
    assert error["error"]["data"] == {"supported": [MODERN], "requested": revision}
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    headers: Headers = {**plain, "Mcp-Session-Id": "x"}
    for message in (ping, [ping], {"jsonrpc": "2.0", "method": "notifications/x"}):
        response = wsgi.send(message, headers=headers)
        assert response.status_code == 400
        official(MODERN).check_error(response.json())


@pytest.mark.parametrize("verb", ["GET", "DELETE", "PUT"])
def test_only_post_is_allowed(wsgi: WSGIClient, verb: str) -> None:
    for headers in ({}, {"Mcp-Session-Id": "x", "MCP-Protocol-Version": LEGACY[0]}):
        response = wsgi.send(None, verb=verb, headers=headers)
        assert response.status_code == 405
        assert response.headers["allow"] == "POST, OPTIONS"
    options = wsgi.send(None, verb="OPTIONS")
    assert (options.status_code, options.headers["allow"]) == (204, "POST, OPTIONS")


def test_headers_are_held_against_the_body(wsgi: WSGIClient) -> None:
    route = {"name": "route", "arguments": {"region": "eu"}}
    for headers, status in (
        ({"Mcp-Param-Region": "eu"}, 200),
        ({"Mcp-Param-Region": "us"}, 400),
        ({}, 400),
        ({"Mcp-Param-Region": "eu", "Mcp-Name": "echo"}, 400),
        ({"Mcp-Param-Region": "eu", "Mcp-Method": None}, 400),
    ):
        response, answer = wsgi.ask("tools/call", route, **headers)
        assert response.status_code == status
        assert answer.get("error", {}).get("code") == (
            None if status == 200 else -32020
        )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": None}, 401),
        ({"Authorization": "Bearer nobody"}, 401),
        ({"Authorization": "Bearer a b"}, 400),
        ({"Host": "evil.example"}, 400),  # CommonMiddleware is the first to see it
        ({"Origin": "https://evil.example"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Accept": "text/html"}, 406),
    ],
)
def test_the_guards_are_the_same(
    wsgi: WSGIClient, headers: Headers, status: int
) -> None:
    response = wsgi.send(wsgi.plain.message("tools/list"), headers=headers)
    assert response.status_code == status
    assert ("www-authenticate" in response.headers) == (
        status == 401 or headers.get("Authorization") == "Bearer a b"
    )


@pytest.mark.parametrize("conf", [{"MAX_BODY_BYTES": 2000}])
@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"", 400), (b" " * 2001, 413), (b" " * 3_000_000, 413)],
)
def test_bad_bodies_are_the_same(wsgi: WSGIClient, body: bytes, status: int) -> None:
    response = wsgi.send(body)
    assert response.status_code == status
    official(MODERN).check_error(response.json())


def test_long_replies_are_compressed(wsgi: WSGIClient) -> None:
    call = {"name": "echo", "arguments": {"text": "x", "times": 5000}}
    response, answer = wsgi.ask("tools/call", call, **{"Accept-Encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert answer["result"]["content"][0]["text"] == "x" * 5000


@pytest.mark.parametrize("conf", [{"CALL_TIMEOUT_S": 0.05}])
def test_a_call_has_a_deadline(wsgi: WSGIClient, gate: str) -> None:
    for tool in ("hold", "hold_thread"):
        call = {"name": tool, "arguments": {"gate": gate + tool}}
        _, answer = wsgi.ask("tools/call", call)
        assert answer["result"]["isError"] is True
