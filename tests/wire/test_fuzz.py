"""Whatever a client sends, it gets an answer in the protocol, and never a 5xx.

Requests are made of valid ones, of which parts are changed, moved or left out,
and of bytes that are no requests at all.
"""

from __future__ import annotations

import json
from typing import Any, Protocol, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_transport.protocol.http import NAMED
from tests.schemas import official
from tests.wire.client import ALL, MODERN, Client, Headers, Reply, encoded
from tests.wire.conftest import Opened

Json = dict[str, Any]
T = TypeVar("T")
# Each example is a handful of requests to one session.
FUZZED = settings(
    max_examples=80,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
REFUSALS = {400, 401, 403, 404, 405, 406, 409, 413, 415}
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
BATCHING = "2025-03-26"


@pytest.fixture
def conf() -> Json:
    return {"CATALOGUE": "tests.wire.served.catalogue.shelf", "PAGE_SIZE": 2}


# What is sent.

VALID: list[tuple[str, Json]] = [
    ("ping", {}),
    ("server/discover", {}),
    ("tools/list", {}),
    ("resources/list", {"cursor": "forged"}),
    ("resources/templates/list", {}),
    ("prompts/list", {}),
    ("tools/call", {"name": "echo", "arguments": {"text": "x", "times": 2}}),
    ("tools/call", {"name": "say", "arguments": {"text": "x", "fail": True}}),
    ("resources/read", {"uri": "text://3"}),
    ("resources/subscribe", {"uri": "text://3"}),
    ("resources/unsubscribe", {"uri": "text://3"}),
    ("prompts/get", {"name": "greet", "arguments": {"name": "Ada"}}),
    (
        "completion/complete",
        {
            "ref": {"type": "ref/prompt", "name": "greet"},
            "argument": {"name": "name", "value": "A"},
        },
    ),
    ("logging/setLevel", {"level": "info"}),
    ("subscriptions/listen", {"notifications": {"toolsListChanged": True}}),
    (
        "initialize",
        {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "c", "version": "1"},
        },
    ),
    ("notifications/initialized", {}),
    ("notifications/cancelled", {"requestId": 1}),
    ("notifications/progress", {"progressToken": 1, "progress": 1}),
]
WORDS = ["", "x", "id", "method", "params", "_meta", "name", "uri", "cursor", "result"]
WORDS += ["echo", "tools/list", "2.0", "2025-11-25", MODERN, "file:///", "\0", "\u2028"]
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 2**53, 2**63, 2**64, 10**400]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(WORDS),
    st.text(max_size=8),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(WORDS) | st.text(max_size=4), inner, max_size=3
        )
    ),
    max_leaves=6,
)
IDS = st.integers() | st.text(max_size=8)


class Draw(Protocol):
    def __call__(self, strategy: st.SearchStrategy[T], /) -> T: ...


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths to all parts of a value but itself."""
    keys = range(len(value)) if isinstance(value, list) else value
    if not isinstance(value, dict | list):
        return []
    return [
        place for k in keys for place in ((*path, k), *places(value[k], (*path, k)))
    ]


def mutated(draw: Draw, message: Any) -> Any:
    """Return a copy with a part replaced, removed, renamed, wrapped or added."""
    message = json.loads(json.dumps(message))
    paths = places(message)
    if not paths:
        return draw(VALUES)
    *way, last = draw(st.sampled_from(paths))
    holder = message
    for step in way:
        holder = holder[step]
    kind = draw(st.sampled_from(["replace", "remove", "rename", "wrap", "add"]))
    if kind == "replace":
        holder[last] = draw(VALUES)
    elif kind == "remove":
        del holder[last]
    elif kind == "wrap":
        holder[last] = draw(st.sampled_from([[holder[last]], {"x": holder[last]}]))
    elif isinstance(holder, dict):
        value = holder.pop(last) if kind == "rename" else draw(VALUES)
        holder[draw(st.sampled_from(WORDS))] = value
    return message


def valid(draw: Draw, client: Client) -> Json:
    """Return a message that is as it should be."""
    method, params = draw(st.sampled_from(VALID))
    if method.startswith("notifications/"):
        return client.notification(method, params)
    return client.message(method, params, id=draw(IDS))


def mirrorable(message: Any) -> bool:
    """Tell whether headers can repeat the message."""
    if not isinstance(message, dict) or type(message.get("method")) is not str:
        return False
    method, params = message["method"], message.get("params")
    if not method.isprintable() or not method.isascii():
        return False
    named = NAMED.get(method)
    return named is None or (
        isinstance(params, dict) and type(params.get(named)) is str
    )


# What may come back.


def judged(client: Client, message: Json) -> Json:
    """Assert that the message is as the revision has it that it is said in."""
    result = message.get("result")
    if isinstance(result, dict) and "protocolVersion" in result:
        official(result["protocolVersion"]).check_message(message, client.asked)
        return message
    return client.hear(message)


async def answers(client: Client, reply: Reply) -> list[Json]:
    """Return the messages that answer a request, each of them as it should be."""
    if reply.status in (202, 204):
        assert await reply.piece() is None
        return []
    assert reply.status == 200 or reply.status in REFUSALS
    if reply.is_stream:
        assert reply.status == 200
        return await events(client, reply)
    assert reply.response.headers["content-type"] == "application/json"
    while await reply.piece() is not None:
        pass
    body = json.loads(reply.raw)
    said = [judged(client, one) for one in (body if isinstance(body, list) else [body])]
    assert said
    assert reply.status == 200 or all("error" in message for message in said)
    return said


async def events(client: Client, reply: Reply) -> list[Json]:
    """Return the messages of a stream, of one without an end those at its begin."""
    said: list[Json] = []
    while (event := await reply.event()) is not None:
        if event.data:
            said.append(judged(client, json.loads(event.data)))
            if said[-1].get("method") == ACKNOWLEDGED:
                break
    return said


def readable_id(message: Any) -> str | int | None:
    """Return the id by which an error has to name a message, if it has one."""
    if not isinstance(message, dict) or type(message.get("id")) not in (str, int):
        return None
    if "method" not in message and ("result" in message or "error" in message):
        return None
    found: str | int = message["id"]
    return found


def expect(client: Client, message: Any) -> None:
    """Have the client know what it asks, so that it can judge the answer."""
    id = readable_id(message)
    if id is not None:
        client.asked[id] = message.get("method")


def exactly(value: Any) -> tuple[type, Any]:
    return type(value), value


@pytest.mark.parametrize("revision", ALL)
@FUZZED
@given(data=st.data())
async def test_what_is_nearly_a_call_is_answered_under_its_id(
    opened: Opened, revision: str, data: st.DataObject
) -> None:
    async with opened(revision, capabilities={}) as client:
        message = valid(data.draw, client)
        headers = client.headers(message)
        for _ in range(data.draw(st.integers(0, 3))):
            message = mutated(data.draw, message)
        if data.draw(st.booleans()) and mirrorable(message):
            headers = client.headers(message)
        expect(client, message)
        async with client.open(encoded(message), headers=headers) as reply:
            said = await answers(client, reply)
    id = readable_id(message)
    if id is None:
        assert all("error" in one and "id" not in one for one in said)
    elif said[-1].get("method") == ACKNOWLEDGED:
        meta = said[-1]["params"]["_meta"]
        assert exactly(meta["io.modelcontextprotocol/subscriptionId"]) == exactly(id)
    else:
        assert exactly(said[-1]["id"]) == exactly(id)
        assert all("id" not in one for one in said[:-1])


@FUZZED
@given(data=st.data())
async def test_each_part_of_a_batch_is_answered_under_its_id(
    opened: Opened, data: st.DataObject
) -> None:
    async with opened(BATCHING, capabilities={}) as client:
        batch = [valid(data.draw, client) for _ in range(data.draw(st.integers(0, 4)))]
        for number, message in enumerate(batch):
            if "id" in message:
                message["id"] = number
            if data.draw(st.booleans()):
                batch[number] = mutated(data.draw, message)
        for message in batch:
            expect(client, message)
        async with client.open(batch) as reply:
            said = await answers(client, reply)
    if reply.status == 400:
        (refusal,) = said
        assert "id" not in refusal
        return
    ids = [exactly(readable_id(message)) for message in batch]
    for message in said:
        if "id" in message:
            ids.remove(exactly(message["id"]))
    assert all(id is None for _, id in ids)


# Not the Host, for which Django's own middleware has an answer of its own.
HEADERS = [
    *["Origin", "Authorization", "Accept", "Content-Type", "Mcp-Session-Id"],
    *["Content-Encoding", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"],
    *["Accept-Encoding", "Last-Event-ID", "Mcp-Param-Text"],
]
# What a server passes on: everything but the ends of lines and NUL.
HEADER_VALUES = st.one_of(
    st.sampled_from(["", "x", ALL[0], ALL[-2], MODERN, "*/*", "=?base64?eA==?="]),
    st.text(
        st.characters(max_codepoint=255, blacklist_characters="\r\n\0"), max_size=9
    ),
).map(lambda text: text.encode("latin-1"))
VERBS = ["POST", "POST", "POST", "GET", "DELETE", "OPTIONS", "PUT", "TRACE"]


@pytest.mark.parametrize("revision", ALL)
@FUZZED
@given(data=st.data())
async def test_whatever_the_headers_say_the_answer_is_one_of_the_protocol(
    opened: Opened, revision: str, data: st.DataObject
) -> None:
    draw = data.draw
    async with opened(revision, capabilities={}) as client:
        message = valid(draw, client)
        changes = st.dictionaries(
            st.sampled_from(HEADERS), st.none() | HEADER_VALUES, min_size=1, max_size=4
        )
        headers: Headers = {**client.headers(message), **draw(changes)}
        expect(client, message)
        verb = draw(st.sampled_from(VERBS))
        content = encoded(message)
        async with client.open(content, verb=verb, headers=headers) as reply:
            if verb == "GET" and reply.status == 200:
                assert reply.is_stream
                return
            said = await answers(client, reply)
    for one in said:
        if "id" in one:
            assert exactly(one["id"]) == exactly(readable_id(message))


@pytest.mark.parametrize("revision", ALL)
@FUZZED
@given(data=st.data())
async def test_bytes_that_are_no_call_are_refused_as_such(
    opened: Opened, revision: str, data: st.DataObject
) -> None:
    async with opened(revision, capabilities={}) as client:
        message = valid(data.draw, client)
        expect(client, message)
        body = encoded(message)
        cut = sorted(data.draw(st.tuples(*[st.integers(0, len(body))] * 2)))
        body = body[: cut[0]] + data.draw(st.binary(max_size=12)) + body[cut[1] :]
        headers = client.headers(message)
        try:
            expect(client, json.loads(body))
        except ValueError:
            broken = True
        else:
            broken = False
        async with client.open(body, headers=headers) as reply:
            said = await answers(client, reply)
    if broken:
        (refusal,) = said
        assert (reply.status, refusal["error"]["code"]) == (400, -32700)
        assert "id" not in refusal
