"""HTTP+SSE on the wire: a stream that the server speaks on, and POSTs to it.

Spec: 2024-11-05 basic/transports #http-with-sse.
"""

from __future__ import annotations

import re

import httpx
import pytest
from django.core.asgi import get_asgi_application
from django.test import Client as WSGIClient

from mcp_transport.asgi import mount
from mcp_transport.protocol.errors import INVALID_REQUEST
from tests.schemas import official
from tests.wire.client import ANSWERS, BOTH, LEGACY, MODERN
from tests.wire.conftest import BASE_URL
from tests.wire.doors import ASGIDoor
from tests.wire.events import Events
from tests.wire.listener import JSON, bearer, listening
from tests.wire.tokens import ALICE, BOB

BATCHING = "2025-03-26"
PLACE = re.compile(r"/message\?sessionId=[\w-]{32}")


def is_refusal(response: httpx.Response, status: int) -> bool:
    """Tell whether HTTP itself refused: with an error that belongs to no request."""
    error = response.json()
    return (
        response.status_code == status
        and "id" not in error
        and error["error"]["code"] == INVALID_REQUEST
    )


# The stream, and the place that it names.


async def test_the_stream_says_first_where_to_post(http: httpx.AsyncClient) -> None:
    async with http.stream("GET", "/sse", headers=bearer(ALICE)) as response:
        event = await Events(response).event()
    assert (event.event, event.id, event.retry_ms) == ("endpoint", "", None)
    assert PLACE.fullmatch(event.data.decode())
    headers = response.headers
    assert response.status_code == 200
    assert headers["content-type"] == "text/event-stream"
    assert headers["cache-control"] == "no-store, no-transform"
    assert headers["x-accel-buffering"] == "no"
    assert headers["content-encoding"] == "identity"
    assert "content-length" not in headers
    assert "mcp-session-id" not in headers


async def test_each_stream_is_a_session_of_its_own(http: httpx.AsyncClient) -> None:
    async with listening(http) as one, listening(http) as other:
        assert one.place != other.place


@pytest.mark.parametrize("accept", [None, "text/event-stream", "*/*", "text/*", BOTH])
async def test_whoever_takes_events_is_served(
    http: httpx.AsyncClient, accept: str | None
) -> None:
    headers = bearer(ALICE) | ({} if accept is None else {"Accept": accept})
    async with http.stream("GET", "/sse/", headers=headers) as response:
        event = await Events(response).event()
    assert PLACE.fullmatch(event.data.decode())


@pytest.mark.parametrize(
    ("root", "path", "place"),
    [
        ("/api/mcp", "/api/sse", "/api/message"),
        ("/api/mcp", "/api/sse/", "/api/message"),
        ("/mcp", "/sse", "/message"),
        ("/", "/sse", "/message"),
    ],
)
async def test_the_place_is_beside_the_stream(
    configured: None, root: str, path: str, place: str
) -> None:
    door = ASGIDoor(mount(get_asgi_application(), root))
    async with (
        httpx.AsyncClient(transport=door, base_url=BASE_URL) as http,
        listening(http, LEGACY[0], path=path) as listener,
    ):
        assert listener.place.partition("?")[0] == place
        assert "result" in await listener.request("ping")


@pytest.mark.parametrize("conf", [{"KEEP_ALIVE_S": 0.01}])
async def test_an_idle_stream_gives_signs_of_life(http: httpx.AsyncClient) -> None:
    async with listening(http, LEGACY[0]) as listener:
        for _ in range(5):
            assert await listener.events.piece() == b":\n\n"
        assert "result" in await listener.request("ping")


# What is said on it.


@pytest.mark.parametrize("revision", LEGACY)
async def test_every_answer_comes_on_the_stream(
    http: httpx.AsyncClient, revision: str
) -> None:
    async with listening(http) as listener:
        result = await listener.shake_hands(revision)
        assert result["protocolVersion"] == revision
        official(revision).check("InitializeResult", result)
        for method in ("ping", "tools/list", "resources/list", "prompts/list"):
            response = await listener.request(method)
            official(revision).check_message(response, listener.asked)
        assert (await listener.call("echo", text="tea"))["content"][0]["text"] == "tea"
        unknown = await listener.request("no/such")
        assert unknown["error"]["code"] == -32601


async def test_later_revisions_are_not_spoken_here(http: httpx.AsyncClient) -> None:
    """Who tries them first is sent back to the handshake."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    async with listening(http) as listener:
        refused = await listener.request("server/discover", {"_meta": meta})
        assert refused["error"]["code"] == -32600
        result = await listener.shake_hands(MODERN)
        assert result["protocolVersion"] == LEGACY[-1]
        listed = await listener.request("tools/list", {"_meta": meta})
        assert "resultType" not in listed["result"]


async def test_the_handshake_comes_first(http: httpx.AsyncClient) -> None:
    async with listening(http) as listener:
        early = await listener.request("tools/list")
        assert early["error"]["code"] == -32600
        assert "result" in await listener.request("ping")
        await listener.shake_hands(LEGACY[0])
        again = await listener.request("initialize", {"protocolVersion": LEGACY[0]})
        assert again["error"]["code"] == -32600


@pytest.mark.parametrize("revision", LEGACY)
async def test_what_comes_before_a_response_comes_in_order(
    http: httpx.AsyncClient, revision: str
) -> None:
    async with listening(http, revision) as listener:
        message = listener.calling("talk", steps=2)
        await listener.post(message)
        said = [await listener.events.message() for _ in range(5)]
    assert [one.get("method") for one in said] == [
        *["notifications/progress", "notifications/message"] * 2,
        None,
    ]
    assert said[-1]["id"] == message["id"]
    for one in said:
        official(revision).check_message(one, listener.asked)


async def test_calls_run_side_by_side(http: httpx.AsyncClient, gate: str) -> None:
    async with listening(http, LEGACY[0]) as listener:
        held = listener.calling("hold", gate=gate)
        await listener.post(held)
        assert (await listener.call("entered", gate=gate))["content"]
        release = listener.calling("release", gate=gate)
        await listener.post(release)
        said = [await listener.events.message() for _ in range(2)]
    assert {one["id"] for one in said} == {held["id"], release["id"]}


async def test_a_burst_comes_whole(http: httpx.AsyncClient) -> None:
    async with listening(http, LEGACY[0]) as listener:
        await listener.post(listener.calling("count", to=1400, at_once=True))
        said = [await listener.events.message() for _ in range(1401)]
    assert [one["params"]["data"] for one in said[:-1]] == list(range(1, 1401))


@pytest.mark.parametrize(
    ("revision", "tool"),
    [
        ("2025-06-18", "ask_form"),
        ("2024-11-05", "ask_model"),
        ("2025-03-26", "ask_roots"),
    ],
)
async def test_a_question_is_asked_on_the_stream_and_answered_by_a_post(
    http: httpx.AsyncClient, revision: str, tool: str
) -> None:
    async with listening(http, revision) as listener:
        message = listener.calling(tool)
        await listener.post(message)
        question = await listener.events.message()
        answer = ANSWERS[question["method"]]
        await listener.post({"jsonrpc": "2.0", "id": question["id"], "result": answer})
        response = await listener.events.message()
    assert response["id"] == message["id"]
    assert "isError" not in response["result"]


async def test_a_call_can_be_cancelled(http: httpx.AsyncClient, gate: str) -> None:
    async with listening(http, LEGACY[0]) as listener:
        held = listener.calling("hold", gate=gate)
        await listener.post(held)
        await listener.call("entered", gate=gate)
        method, params = "notifications/cancelled", {"requestId": held["id"]}
        await listener.post({"jsonrpc": "2.0", "method": method, "params": params})
        # And has no response: what comes next is that of the next.
        fate = await listener.call("fate", gate=gate)
    assert fate["content"][0]["text"] == "cancelled"


async def test_a_tool_cannot_send_the_client_away(
    http: httpx.AsyncClient, gate: str
) -> None:
    """Others are answered on its stream, and it could not come back."""
    async with listening(http, LEGACY[-1]) as listener:
        let_go = listener.calling("let_go", gate=gate)
        await listener.post(let_go)
        assert (await listener.events.message())["params"]["data"] == "before"
        await listener.call("release", gate=gate)
        assert (await listener.events.message())["params"]["data"] == "after"
        assert (await listener.events.message())["id"] == let_go["id"]


async def test_changes_are_told(http: httpx.AsyncClient) -> None:
    async with listening(http, LEGACY[0]) as listener:
        subscribed = await listener.request("resources/subscribe", {"uri": "doc://one"})
        assert subscribed["result"] == {}
        said = []
        for tool, arguments in (
            ("update", {"uri": "doc://one"}),
            ("update", {"uri": "doc://picture"}),
            ("change", {"kind": "tools"}),
            ("change", {"kind": "tools"}),
        ):
            await listener.post(listener.calling(tool, **arguments))
            said.append(await listener.events.message())
        said += [await listener.events.message() for _ in range(3)]
    assert [one["method"] for one in said if "method" in one] == [
        "notifications/resources/updated",
        *["notifications/tools/list_changed"] * 2,
    ]


# Batches, and ids.


async def test_a_batch_is_answered_message_by_message(http: httpx.AsyncClient) -> None:
    async with listening(http, BATCHING) as listener:
        ping, call = listener.message("ping"), listener.calling("echo", text="a")
        note = {"jsonrpc": "2.0", "method": "notifications/roots/list_changed"}
        await listener.post([ping, {"jsonrpc": "2.0", "id": "bad"}, note, call])
        said = [await listener.events.message() for _ in range(3)]
        assert "result" in await listener.request("ping")
    answers = {one["id"]: one for one in said}
    assert answers.keys() == {ping["id"], "bad", call["id"]}
    assert answers["bad"]["error"]["code"] == -32600
    assert answers[call["id"]]["result"]["content"][0]["text"] == "a"


@pytest.mark.parametrize("revision", [None, *(r for r in LEGACY if r != BATCHING)])
async def test_where_there_are_no_batches_one_is_refused(
    http: httpx.AsyncClient, revision: str | None
) -> None:
    async with listening(http, revision) as listener:
        call = listener.calling("echo", text="a")
        response = await listener.send([call])
        assert response.status_code == 400
        assert response.json()["error"]["code"] == -32600
        if revision is not None:  # and the call is still to be made
            await listener.post(call)
            assert (await listener.events.message())["id"] == call["id"]


async def test_a_call_is_made_once_however_often_it_arrives(
    http: httpx.AsyncClient,
) -> None:
    async with listening(http, LEGACY[0]) as one, listening(http, LEGACY[0]) as other:
        call = one.calling("echo", text="a")
        await one.post(call)
        await one.events.message()
        again = await one.send(call)
        assert again.status_code == 400
        assert (again.json()["id"], again.json()["error"]["code"]) == (
            call["id"],
            -32600,
        )
        # Ids are a session's own; and what has no effect may be asked again.
        await other.post(call)
        assert (await other.events.message())["id"] == call["id"]
        ping = one.message("ping")
        for _ in range(2):
            await one.post(ping)
            assert (await one.events.message())["id"] == ping["id"]


# The end of a session.


async def test_a_session_ends_with_its_stream(
    http: httpx.AsyncClient, gate: str
) -> None:
    async with listening(http, LEGACY[0]) as witness:
        async with listening(http, LEGACY[0]) as listener:
            await listener.post(listener.calling("hold", gate=gate))
            await witness.call("entered", gate=gate)
        # What ran for it has ended.
        fate = await witness.call("fate", gate=gate)
        assert fate["content"][0]["text"] == "cancelled"
        refused = await listener.send(listener.message("ping"))
        assert is_refusal(refused, 404)
        assert refused.json()["error"]["message"] == "Session not found"


@pytest.mark.parametrize("conf", [{"SESSION_AGE_S": 0.2, "KEEP_ALIVE_S": 0.05}])
async def test_a_session_that_is_old_ends(http: httpx.AsyncClient) -> None:
    async with listening(http) as listener:
        assert await listener.events.rest() == []
    assert (await listener.send(listener.message("ping"))).status_code == 404


@pytest.mark.parametrize("conf", [{"SESSION_IDLE_S": 2, "KEEP_ALIVE_S": 0.1}])
async def test_an_open_stream_keeps_its_session(http: httpx.AsyncClient) -> None:
    async with listening(http, LEGACY[0]) as listener:
        for _ in range(25):
            assert await listener.events.piece() == b":\n\n"
        await listener.post(listener.message("ping"))
        assert "result" in await listener.events.message()


@pytest.mark.parametrize("conf", [{"MAX_SESSIONS": 1}])
async def test_at_a_callers_cap_the_oldest_stream_makes_room(
    http: httpx.AsyncClient,
) -> None:
    async with (
        listening(http, LEGACY[0], token=BOB) as bobs,
        listening(http, LEGACY[0]) as first,
        listening(http, LEGACY[0]) as second,
    ):
        assert await first.events.rest() == []
        assert (await first.send(first.message("ping"))).status_code == 404
        assert "result" in await second.request("ping")
        assert "result" in await bobs.request("ping")


# What is refused.


async def test_a_session_of_somebody_else_is_as_unknown_as_none(
    http: httpx.AsyncClient,
) -> None:
    async with listening(http, LEGACY[0]) as hers:
        bob = bearer(BOB) | JSON
        unknown = "/message?sessionId=" + "x" * 32
        refused = [
            await http.post(
                place, content=b'{"jsonrpc":"2.0","method":"x"}', headers=bob
            )
            for place in (hers.place, unknown)
        ]
        assert all(is_refusal(response, 404) for response in refused)
        assert refused[0].content == refused[1].content
        assert "result" in await hers.request("ping")


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("?sessionId=", 400), ("?sessionid=x", 400), ("?sessionId=x", 404)],
)
async def test_a_message_must_name_its_session(
    http: httpx.AsyncClient, query: str, status: int
) -> None:
    headers = bearer(ALICE) | JSON
    for path in ("/message", "/message/"):
        response = await http.post(
            path + query,
            content=b'{"jsonrpc":"2.0","id":1,"method":"ping"}',
            headers=headers,
        )
        assert is_refusal(response, status)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"\xff", -32700),
        (b"1", -32600),
        (b"[]", -32600),
        (b"{}", -32600),
    ],
)
async def test_what_is_no_message_is_refused(
    http: httpx.AsyncClient, body: bytes, code: int
) -> None:
    async with listening(http, BATCHING) as listener:
        response = await listener.send(body)
        assert response.status_code == 400
        official(MODERN).check_error(response.json())
        assert response.json()["error"]["code"] == code
        assert "result" in await listener.request("ping")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": ""}, 415),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Origin": "https://evil.example"}, 403),
        ({"Authorization": "Bearer unknown"}, 401),
        ({"Authorization": "Basic x"}, 401),
        ({"Authorization": "Bearer"}, 400),
        ({"Accept": "application/json"}, 202),
        ({"Accept": "text/plain"}, 202),
    ],
)
async def test_a_post_is_what_it_must_be(
    http: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    async with listening(http, LEGACY[0]) as listener:
        response = await listener.send(listener.message("ping"), **headers)
    assert response.status_code == status
    assert status == 202 or is_refusal(response, status)


@pytest.mark.parametrize("conf", [{"MAX_BODY_BYTES": 2000}])
async def test_a_body_that_is_too_large_is_refused(http: httpx.AsyncClient) -> None:
    async with listening(http, LEGACY[0]) as listener:
        message = listener.calling("echo", text="x" * 2000)
        assert is_refusal(await listener.send(message), 413)
        assert "result" in await listener.request("ping")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Accept": "application/json"}, 406),
        ({"Accept": ""}, 406),
        ({"Authorization": "Bearer unknown"}, 401),
        ({"Origin": "https://evil.example"}, 403),
    ],
)
async def test_a_stream_is_refused_before_it_begins(
    http: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    response = await http.get("/sse", headers=bearer(ALICE) | headers)
    assert is_refusal(response, status)


@pytest.mark.parametrize(("path", "allowed"), [("/sse", "GET"), ("/message", "POST")])
async def test_each_place_has_one_verb(
    http: httpx.AsyncClient, path: str, allowed: str
) -> None:
    for verb in {"GET", "POST", "PUT", "DELETE", "HEAD"} - {allowed}:
        response = await http.request(verb, path, headers=bearer(ALICE))
        assert response.status_code == 405
        assert response.headers["allow"] == f"{allowed}, OPTIONS"
    for verb in (allowed, "PUT"):
        response = await http.request(verb, path, headers={"Host": "127.0.0.1"})
        assert is_refusal(response, 401)
        assert response.headers["www-authenticate"] == 'Bearer realm="mcp"'
    options = await http.request("OPTIONS", path, headers={"Host": "127.0.0.1"})
    assert (options.status_code, options.content) == (204, b"")
    assert options.headers["allow"] == f"{allowed}, OPTIONS"


@pytest.mark.parametrize("conf", [{"TRANSPORTS": ["streamable-http", "plain"]}])
async def test_it_can_be_switched_off(http: httpx.AsyncClient) -> None:
    for verb, path in (("GET", "/sse"), ("POST", "/message?sessionId=x")):
        assert (
            await http.request(verb, path, headers=bearer(ALICE))
        ).status_code == 404


@pytest.mark.parametrize("conf", [{"TRANSPORTS": ["sse"]}])
async def test_it_can_be_the_only_one(http: httpx.AsyncClient) -> None:
    async with listening(http, LEGACY[0]) as listener:
        assert "result" in await listener.request("ping")
    assert (await http.post("/mcp", headers=bearer(ALICE))).status_code == 404


def test_a_server_that_cannot_stream_says_so(configured: None) -> None:
    headers = bearer(ALICE)
    refused = WSGIClient().get("/sse", headers=headers)
    assert (refused.status_code, refused["Allow"]) == (405, "OPTIONS")
