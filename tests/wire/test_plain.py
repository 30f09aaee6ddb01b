"""The plain dialect on the wire: bare JSON-RPC, under a name of the client's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import httpx
import pytest

from tests.wire.client import BOTH
from tests.wire.events import Events
from tests.wire.listener import JSON, bearer
from tests.wire.test_statuses import is_refusal
from tests.wire.tokens import ALICE, BOB

Json = dict[str, Any]

EVENTS = "text/event-stream"
# Of requests that run beside another one.
IDS = count(1)


class Plain:
    """A client that knows a name, and nothing of any handshake."""

    def __init__(
        self, http: httpx.AsyncClient, name: str = "kettle", token: str = ALICE
    ) -> None:
        self.http = http
        self.name = name
        self.headers = bearer(token) | {"X-Session-ID": name}

    async def send(self, body: Any, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body)
        sent = self.headers | JSON | headers
        return await self.http.post("/mcp", content=content, headers=sent)

    async def ask(self, method: str, params: Json | None = None) -> Json:
        """Return the response, which comes as JSON."""
        response = await self.send(request(method, params, next(IDS)))
        assert response.headers["content-type"] == "application/json"
        assert response.status_code == 200
        answer: Json = response.json()
        return answer

    async def call(self, tool: str, **arguments: Any) -> Json:
        answer = await self.ask("tools/call", {"name": tool, "arguments": arguments})
        result: Json = answer["result"]
        return result

    async def text(self, tool: str, **arguments: Any) -> str:
        text: str = (await self.call(tool, **arguments))["content"][0]["text"]
        return text

    @asynccontextmanager
    async def stream(self, body: Any, accept: str = EVENTS) -> AsyncIterator[Events]:
        headers = self.headers | JSON | {"Accept": accept}
        async with self.http.stream(
            "POST", "/mcp", content=json.dumps(body), headers=headers
        ) as response:
            yield Events(response)

    @asynccontextmanager
    async def listen(self, last: str | None = None) -> AsyncIterator[Events]:
        """Open the stream of the session, by its address alone."""
        headers = {k: v for k, v in self.headers.items() if k != "X-Session-ID"}
        headers |= {} if last is None else {"Last-Event-ID": last}
        async with self.http.stream(
            "GET", f"/mcp?session={self.name}", headers=headers
        ) as response:
            yield Events(response)


def request(method: str, params: Json | None = None, id: Any = "req-1") -> Json:
    message = {"jsonrpc": "2.0", "method": method, "id": id}
    return message if params is None else {**message, "params": params}


def calling(tool: str, **arguments: Any) -> Json:
    return request("tools/call", {"name": tool, "arguments": arguments})


async def told(events: Events) -> list[tuple[str, Json]]:
    """Return the names and the data of all events up to the end."""
    return [(one.event, json.loads(one.data)) for one in await events.rest()]


# One request, one response.


async def test_a_request_is_answered_without_a_handshake(
    http: httpx.AsyncClient,
) -> None:
    response = await Plain(http).send(calling("echo", text="tea"))
    assert (response.status_code, response.json()) == (
        200,
        {
            "jsonrpc": "2.0",
            "id": "req-1",
            "result": {"content": [{"type": "text", "text": "tea"}]},
        },
    )
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert "mcp-session-id" not in response.headers


async def test_an_id_may_be_used_again(http: httpx.AsyncClient) -> None:
    for _ in range(2):
        assert await Plain(http).text("echo", text="a") == "a"


async def test_it_is_chosen_by_its_header_alone(http: httpx.AsyncClient) -> None:
    body = json.dumps(request("ping"))
    headers = bearer(ALICE) | JSON
    for path in ("/mcp", "/mcp?session=kettle"):
        response = await http.post(path, content=body, headers=headers)
        assert is_refusal(response, 400)
        assert "Mcp-Session-Id is missing" in response.text
    for path in ("/mcp", "/mcp/"):
        named = headers | {"x-SESSION-id": "kettle"}
        response = await http.post(path, content=body, headers=named)
        assert response.json() == {"jsonrpc": "2.0", "id": "req-1", "result": {}}


async def test_what_wants_no_response_gets_none(http: httpx.AsyncClient) -> None:
    for body in (
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {}},
        {"jsonrpc": "2.0", "method": "no/such"},
        {"jsonrpc": "2.0", "id": 1, "result": {}},
    ):
        for accept in ("application/json", EVENTS):
            response = await Plain(http).send(body, Accept=accept)
            assert (response.status_code, response.content) == (202, b"")


async def test_what_fails_is_said_under_the_id(http: httpx.AsyncClient) -> None:
    client = Plain(http)
    for method, params, code in (
        ("no/such", None, -32601),
        ("server/discover", {}, -32601),
        ("initialize", {"protocolVersion": "2025-11-25"}, -32601),
        ("tools/call", {"name": "missing"}, -32602),
    ):
        response = await client.send(request(method, params, method))
        answer = response.json()
        assert (response.status_code, answer["id"]) == (200, method)
        assert answer["error"]["code"] == code
    read = await client.ask("resources/read", {"uri": "doc://none"})
    assert read["error"] == {
        "code": -32002,
        "message": "Resource not found",
        "data": {"uri": "doc://none"},
    }
    crashed = (await client.ask("tools/call", {"name": "crash"}))["result"]
    assert crashed["isError"] is True
    assert "swordfish" not in json.dumps(crashed)


async def test_nobody_is_asked_anything(http: httpx.AsyncClient) -> None:
    words = await Plain(http).text("ask_roots")
    assert words.endswith("did not declare the capability roots.")


async def test_a_long_reply_is_compressed(http: httpx.AsyncClient) -> None:
    body = calling("echo", text="tea" * 1000)
    response = await Plain(http).send(body, **{"Accept-Encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert response.json()["result"]["content"][0]["text"] == "tea" * 1000


@pytest.mark.parametrize("conf", [{"CALL_TIMEOUT_S": 0.05}])
async def test_a_call_over_its_deadline_has_a_status_of_its_own(
    http: httpx.AsyncClient, gate: str
) -> None:
    response = await Plain(http).send(calling("hold", gate=gate))
    assert response.status_code == 408
    result = response.json()["result"]
    assert result["isError"] is True
    assert "did not finish within 0.05 s" in result["content"][0]["text"]
    async with Plain(http).stream(calling("hold", gate=gate + "b")) as events:
        (name, said), done = await told(events)
    assert (events.status, name, said["result"]) == (200, "result", result)
    assert done == ("done", {})


# A reply of events.


async def test_a_call_is_told_as_events(http: httpx.AsyncClient) -> None:
    async with Plain(http).stream(calling("talk", steps=2)) as events:
        said = await told(events)
    assert [name for name, _ in said] == [
        *["progress", "message"] * 2,
        "result",
        "done",
    ]
    assert [data for name, data in said if name == "progress"] == [
        {"type": "progress", "value": step, "total": 2, "message": f"step {step}"}
        for step in (1, 2)
    ]
    assert said[1][1]["method"] == "notifications/message"
    assert said[1][1]["params"]["data"] == {"step": 1}
    result = said[-2][1]
    assert result.keys() == {"type", "result", "id"}
    assert (result["type"], result["id"]) == ("complete", "req-1")
    assert result["result"] == {"content": [{"type": "text", "text": "2 steps"}]}
    assert said[-1][1] == {}
    headers = events.response.headers
    assert headers["content-type"] == "text/event-stream"
    assert headers["cache-control"] == "no-store, no-transform"
    assert headers["x-accel-buffering"] == "no"
    # Nobody can come back for it.
    assert b"\nid:" not in events.raw


async def test_a_failure_is_told_as_an_event(http: httpx.AsyncClient) -> None:
    client = Plain(http)
    async with client.stream(request("no/such")) as events:
        assert await told(events) == [
            (
                "error",
                {
                    "type": "error",
                    "error": "Method not found: no/such",
                    "code": -32601,
                    "id": "req-1",
                },
            ),
            ("done", {}),
        ]
    async with client.stream(request("resources/read", {"uri": "doc://no"})) as events:
        (name, said), _ = await told(events)
    assert (name, said["data"]) == ("error", {"uri": "doc://no"})


async def test_who_takes_both_gets_events(http: httpx.AsyncClient) -> None:
    async with Plain(http).stream(request("ping"), BOTH) as events:
        result = {"type": "complete", "result": {}, "id": "req-1"}
        assert await told(events) == [("result", result), ("done", {})]


@pytest.mark.parametrize("conf", [{"KEEP_ALIVE_S": 0.01}])
async def test_silence_is_filled(http: httpx.AsyncClient, gate: str) -> None:
    client = Plain(http)
    async with client.stream(calling("hold", gate=gate)) as events:
        assert [await events.piece() for _ in range(5)] == [b":\n\n"] * 5
        await client.text("release", gate=gate)
        assert [name for name, _ in await told(events)] == ["result", "done"]
    async with client.listen() as events:
        assert [await events.piece() for _ in range(5)][1:] == [b":\n\n"] * 4


# Batches.


async def test_a_batch_is_one_request(http: httpx.AsyncClient) -> None:
    client = Plain(http)
    asked = [{"method": "tools/list"}, {"method": "no/such"}, {"method": "ping"}]
    body = request("batch", {"requests": asked})
    answers = (await client.send(body)).json()["result"]["responses"]
    assert [one["id"] for one in answers] == ["req-1#0", "req-1#1", "req-1#2"]
    assert len(answers[0]["result"]["tools"]) > 10
    assert answers[1]["error"]["code"] == -32601
    assert answers[2]["result"] == {}
    async with client.stream(body) as events:
        (name, said), done = await told(events)
    assert (name, done) == ("result", ("done", {}))
    assert said["result"]["responses"] == answers


async def test_an_array_is_no_batch_here(http: httpx.AsyncClient) -> None:
    response = await Plain(http).send([request("ping")])
    assert response.status_code == 400
    assert response.json()["error"]["code"] == -32600
    assert "by the method batch" in response.json()["error"]["message"]


# How a call ends early.


async def test_a_client_that_leaves_ends_its_call(
    http: httpx.AsyncClient, gate: str
) -> None:
    client = Plain(http)
    async with client.stream(calling("hold", gate=gate)) as events:
        await events.piece()
        assert await client.text("entered", gate=gate) == "true"
    assert await client.text("fate", gate=gate) == "cancelled"
    waiting = asyncio.create_task(client.send(calling("hold", gate=gate + "b")))
    other = Plain(http, "other")
    assert await other.text("entered", gate=gate + "b") == "true"
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await other.text("fate", gate=gate + "b") == "cancelled"


async def test_a_call_can_be_cancelled_by_its_id(
    http: httpx.AsyncClient, gate: str
) -> None:
    client, bob = Plain(http), Plain(http, token=BOB)
    held = {**calling("hold", gate=gate), "id": "held"}
    cancel = {
        "jsonrpc": "2.0",
        "method": "notifications/cancelled",
        "params": {"requestId": "held"},
    }
    async with client.stream(held) as events:
        await client.text("entered", gate=gate)
        # The same name and the same id, and yet another's.
        assert (await bob.send(cancel)).status_code == 202
        assert (await Plain(http, "other").send(cancel)).status_code == 202
        assert (await client.send(cancel)).status_code == 202
        assert await told(events) == []
    assert await client.text("fate", gate=gate) == "cancelled"


# The stream of a session.


async def change(client: Plain, kind: str = "tools") -> None:
    """Change a list twice, so that it is as before."""
    for _ in range(2):
        await client.text("change", kind=kind)


async def notified(events: Events, count: int) -> list[tuple[str, str]]:
    """Return the ids and the methods of the next messages."""
    said = []
    for _ in range(count):
        event = await events.event()
        assert event.event == "message"
        said.append((event.id, json.loads(event.data)["method"]))
    return said


TOOLS, PROMPTS, UPDATED = (
    "notifications/tools/list_changed",
    "notifications/prompts/list_changed",
    "notifications/resources/updated",
)


async def test_what_belongs_to_no_request_comes_on_a_stream(
    http: httpx.AsyncClient,
) -> None:
    client = Plain(http)
    async with client.listen() as events:
        opening = await events.piece() or b""
        # A place to come back to, which is no event to a browser.
        assert opening.startswith(b"id: 0.")
        assert opening.endswith(b"\nretry: 1000\n\n")
        assert b"data" not in opening
        assert events.response.headers["content-type"] == "text/event-stream"
        assert events.response.headers["x-accel-buffering"] == "no"
        await change(client)
        said = await notified(events, 2)
    assert [method for _, method in said] == [TOOLS] * 2
    assert [id.rpartition(".")[2] for id, _ in said] == ["1", "2"]


@pytest.mark.parametrize("accept", ["application/json", EVENTS])
async def test_a_resource_that_was_subscribed_to_is_told_of(
    http: httpx.AsyncClient, accept: str
) -> None:
    client = Plain(http)
    for method in ("resources/subscribe", "resources/unsubscribe"):
        body = request(method, {"uri": "doc://one"})
        assert (await client.send(body, Accept=accept)).status_code == 200
        async with client.listen() as events:
            for uri in ("doc://picture", "doc://one"):
                await client.call("update", uri=uri)
            await change(client, "prompts")
            subscribed = method == "resources/subscribe"
            said = await notified(events, 3 if subscribed else 2)
        assert [one for _, one in said] == [*[UPDATED] * subscribed, *[PROMPTS] * 2]


async def test_a_log_level_is_kept_for_the_name(http: httpx.AsyncClient) -> None:
    kettle, other = Plain(http), Plain(http, "other")
    answer = await kettle.ask("logging/setLevel", {"level": "emergency"})
    assert answer["result"] == {}
    for client, logs in ((kettle, 0), (other, 3)):
        async with client.stream(calling("talk", steps=3)) as events:
            names = [name for name, _ in await told(events)]
        assert names.count("message") == logs


async def test_a_stream_goes_on_behind_its_last_event(http: httpx.AsyncClient) -> None:
    client = Plain(http)
    async with client.listen() as events:
        await change(client)
        first, second = await notified(events, 2)
    await change(client, "prompts")
    async with client.listen(first[0]) as events:
        assert await notified(events, 3) == [second, *behind(first[0], PROMPTS)]
    async with client.listen(second[0]) as events:
        assert [method for _, method in await notified(events, 2)] == [PROMPTS] * 2


def behind(first: str, method: str) -> list[tuple[str, str]]:
    """Return the third and the fourth event of the stream that has the first."""
    stream = first.rpartition(".")[0]
    return [(f"{stream}.{number}", method) for number in (3, 4)]


async def test_who_comes_back_takes_the_stream_over(http: httpx.AsyncClient) -> None:
    client = Plain(http)
    async with client.listen() as old:
        opening = await old.piece() or b""
        place = opening.partition(b"\n")[0].removeprefix(b"id: ").decode()
        async with client.listen() as refused:
            assert refused.status == 409
        async with client.listen(place) as new:
            await new.piece()
            assert await old.rest() == []
            await change(client)
            assert len(await notified(new, 2)) == 2


@pytest.mark.parametrize("place", ["", "x", "0.0.0", "0.ffffffff.1", "a.0.1"])
async def test_a_place_that_never_was_is_gone(
    http: httpx.AsyncClient, place: str
) -> None:
    async with Plain(http).listen(place) as events:
        assert events.status == 404


@pytest.mark.parametrize("conf", [{"STREAM_AGE_S": 0.05, "KEEP_ALIVE_S": 0.02}])
async def test_a_stream_that_is_old_says_where_to_come_back(
    http: httpx.AsyncClient,
) -> None:
    async with Plain(http).listen() as events:
        assert await events.rest() == []
    first, last = events.raw.split(b"\n\n")[0], events.raw.split(b"\n\n")[-2]
    assert first == last
    assert last.endswith(b"\nretry: 1000")


async def test_a_session_can_be_ended(http: httpx.AsyncClient) -> None:
    client = Plain(http)
    await client.ask("resources/subscribe", {"uri": "doc://one"})
    async with client.listen() as events:
        await events.piece()
        ended = await http.delete("/mcp", headers=client.headers)
        assert (ended.status_code, ended.content) == (204, b"")
        assert await events.rest() == []
    # The name may be used again; nothing is known of what was.
    async with client.listen() as events:
        await client.call("update", uri="doc://one")
        await change(client)
        assert [method for _, method in await notified(events, 2)] == [TOOLS] * 2


# Names.


async def test_callers_of_one_name_share_nothing(http: httpx.AsyncClient) -> None:
    alice, bob = Plain(http), Plain(http, token=BOB)
    await alice.ask("resources/subscribe", {"uri": "doc://one"})
    await alice.ask("logging/setLevel", {"level": "emergency"})
    async with alice.listen() as hers, bob.listen() as his:
        assert (hers.status, his.status) == (200, 200)
        await alice.call("update", uri="doc://one")
        await change(alice)
        (told_her, _), *_ = await notified(hers, 3)
        assert [method for _, method in await notified(his, 2)] == [TOOLS] * 2
        assert (await http.delete("/mcp", headers=bob.headers)).status_code == 204
        assert await his.rest() == []
        await change(alice)
        assert len(await notified(hers, 2)) == 2
    # Her place is none in his stream.
    async with bob.listen(told_her) as events:
        assert events.status == 404


@pytest.mark.parametrize("name", ["k", "x" * 128, "a-b_c.d:e/f", "!~", "7"])
async def test_a_name_is_of_visible_characters(
    http: httpx.AsyncClient, name: str
) -> None:
    assert await Plain(http, name).text("echo", text="a") == "a"


@pytest.mark.parametrize("name", ["", " ", "x" * 129, "a b", "a\tb"])
async def test_what_is_no_name_is_refused(http: httpx.AsyncClient, name: str) -> None:
    headers = bearer(ALICE) | JSON | {"X-Session-ID": name}
    body = json.dumps(request("ping"))
    assert is_refusal(await http.post("/mcp", content=body, headers=headers), 400)
    for query in ("", "%20", "x" * 129, "%C3%A9", "a%0Ab"):
        path = f"/mcp?session={query}"
        assert is_refusal(await http.get(path, headers=bearer(ALICE)), 400)


# What is refused, and what is switched off.


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
    for accept in ("application/json", EVENTS):
        response = await Plain(http).send(body, Accept=accept)
        assert response.status_code == 400
        assert response.json()["error"]["code"] == code


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Origin": "https://evil.example"}, 403),
        ({"Authorization": "Bearer unknown"}, 401),
        ({"Authorization": "Bearer"}, 400),
    ],
)
async def test_a_post_is_what_it_must_be(
    http: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    assert is_refusal(await Plain(http).send(request("ping"), **headers), status)


@pytest.mark.parametrize("conf", [{"MAX_BODY_BYTES": 2000}])
async def test_a_body_that_is_too_large_is_refused(http: httpx.AsyncClient) -> None:
    response = await Plain(http).send(calling("echo", text="x" * 2000))
    assert is_refusal(response, 413)


async def test_the_verbs_that_there_are(http: httpx.AsyncClient) -> None:
    headers = Plain(http).headers
    allowed = "GET, POST, DELETE, OPTIONS"
    refused = await http.put("/mcp", headers=headers)
    assert is_refusal(refused, 405)
    assert refused.headers["allow"] == allowed
    nobody = {"Host": "127.0.0.1", "X-Session-ID": "kettle"}
    options = await http.options("/mcp", headers=nobody)
    assert (options.status_code, options.headers["allow"]) == (204, allowed)
    for verb in ("GET", "POST", "DELETE", "PUT"):
        assert is_refusal(await http.request(verb, "/mcp", headers=nobody), 401)


@pytest.mark.parametrize("conf", [{"TRANSPORTS": ["streamable-http", "sse"]}])
async def test_it_can_be_switched_off(http: httpx.AsyncClient) -> None:
    response = await Plain(http).send(request("ping"))
    assert is_refusal(response, 400)
    assert "Mcp-Session-Id is missing" in response.text


@pytest.mark.parametrize("conf", [{"TRANSPORTS": ["plain"]}])
async def test_it_can_be_the_only_one(http: httpx.AsyncClient) -> None:
    assert await Plain(http).text("echo", text="a") == "a"
    body = json.dumps(request("initialize", {"protocolVersion": "2025-11-25"}))
    response = await http.post("/mcp", content=body, headers=bearer(ALICE) | JSON)
    assert is_refusal(response, 400)
    assert "X-Session-ID" in response.text
    # A browser asks first, and cannot name anything then.
    options = await http.options("/mcp", headers={"Host": "127.0.0.1"})
    assert options.status_code == 204
