"""Every kind of message that the server sends, held against the official schema.

All methods of all revisions, in this process and over HTTP. The clients judge
each message as it comes; here it is made sure that each kind did come.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mcp_transport.conf import get_server
from mcp_transport.protocol.revisions import REVISIONS
from mcp_transport.transports.client import Client as Inside
from mcp_transport.transports.duplex import serve
from mcp_transport.transports.inprocess import BINDING, LinkedTransport
from tests.schemas import NOTIFICATIONS, REQUESTS, RESULTS, official
from tests.wire.client import (
    ALL,
    ANSWERS,
    BOUND_S,
    CAPABILITIES,
    LEGACY,
    MODERN,
    Client,
)
from tests.wire.conftest import Opened
from tests.wire.script import CALLS, COMPLETIONS, LISTS, MISTAKES, PROMPTS, READS
from tests.wire.tokens import ALICE, CALLERS

KINDS = ("tools", "prompts", "resources")
META = "io.modelcontextprotocol/"
# Each list changes twice: an entry comes and goes.
CHANGES = [f"notifications/{kind}/list_changed" for kind in KINDS for _ in range(2)]
FILTER = {
    "toolsListChanged": True,
    "promptsListChanged": True,
    "resourcesListChanged": True,
    "resourceSubscriptions": ["doc://one", "doc://none"],
}


def sendable(revision: str) -> set[str]:
    """Return the names of all that a server of this revision says by itself.

    Ours has no need to ping, and takes back no question that was answered.
    """
    schema = official(revision)
    named = {*RESULTS.values(), *NOTIFICATIONS.values(), *REQUESTS.values()}
    sent = {name for name in named if schema.has(name)}
    sent -= {"PingRequest", "CancelledNotification"}
    if REVISIONS[revision].stateful:
        return sent | {"-32601", "-32602", "-32002"}
    # There questions are part of a result, and no method has an empty one.
    sent -= {*REQUESTS.values(), "EmptyResult"}
    return sent | {"InputRequiredResult", "MethodNotFoundError", "InvalidParamsError"}


@pytest.fixture
def conf() -> dict[str, Any]:
    return {"PAGE_SIZE": 4}


async def pages(client: Client, method: str) -> list[Any]:
    """Return every item of a list, page by page."""
    page = await client.result(method)
    found = items(page)
    while "nextCursor" in page:
        page = await client.result(method, {"cursor": page["nextCursor"]})
        found += items(page)
    return found


def items(page: dict[str, Any]) -> list[Any]:
    """Return the one member of a list's result that is a list."""
    (found,) = (list(value) for value in page.values() if isinstance(value, list))
    return found


async def ask_for_everything(client: Client) -> None:
    for method in LISTS:
        assert await pages(client, method)
    for tool, arguments in CALLS:
        await client.call(tool, **arguments)
    for uri in READS:
        assert (await client.result("resources/read", {"uri": uri}))["contents"]
    for name, given in PROMPTS:
        got = await client.result("prompts/get", {"name": name, "arguments": given})
        assert got["messages"]
    for ref, name, value in COMPLETIONS:
        argument = {"name": name, "value": value}
        params = {"ref": ref, "argument": argument}
        got = await client.result("completion/complete", params)
        assert len(got["completion"]["values"]) <= 100
    await client.result(
        "tools/call",
        {"name": "talk", "arguments": {}, "_meta": {"progressToken": "t"}},
    )


async def make_every_mistake(client: Client) -> None:
    for method, params, code in MISTAKES:
        message = await client.request(method, params)
        assert message["error"]["code"] == code, (method, params)
    missing = await client.request("resources/read", {"uri": "doc://none"})
    error = missing["error"]
    assert error["code"] == (-32002 if client.stateful else -32602)
    assert error["data"] == {"uri": "doc://none"}


async def change_all(client: Client) -> None:
    for kind in KINDS:
        assert await client.text("change", kind=kind) == "true"
        assert await client.text("change", kind=kind) == "false"
    await client.call("update", uri="doc://one")


async def watch_a_session(client: Client) -> None:
    """Subscribe, and hear of all changes on the session's own stream."""
    await client.result("ping")
    await client.result("logging/setLevel", {"level": "debug"})
    await client.result("resources/subscribe", {"uri": "doc://one"})
    async with client.stream() as stream:
        await change_all(client)
        heard = [await stream.message() for _ in range(7)]
    assert [m["method"] for m in heard] == [*CHANGES, "notifications/resources/updated"]
    await client.result("resources/unsubscribe", {"uri": "doc://one"})


async def watch_by_request(client: Client) -> None:
    """Discover, and hear of all changes on a listen request's stream."""
    found = await client.result("server/discover")
    assert found["supportedVersions"] == [MODERN]
    message = client.message("subscriptions/listen", {"notifications": FILTER})
    async with client.open(message) as stream:
        heard = [await stream.message()]
        await change_all(client)
        heard += [await stream.message() for _ in range(7)]
        get_server().end_streams()
        heard.append(await stream.message())
        assert await stream.event() is None
    assert [m.get("method") for m in heard] == [
        "notifications/subscriptions/acknowledged",
        *CHANGES,
        "notifications/resources/updated",
        None,
    ]
    marks = [(m.get("params") or m["result"])["_meta"] for m in heard]
    assert {mark[META + "subscriptionId"] for mark in marks} == {message["id"]}


@pytest.mark.parametrize("revision", ALL)
async def test_all_that_is_sent_over_http_is_what_the_schema_says(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        await ask_for_everything(client)
        await make_every_mistake(client)
        if client.stateful:
            await watch_a_session(client)
        else:
            await watch_by_request(client)
        assert sendable(revision) - client.heard == set()


# What ours never sends: it has no tasks and no extensions, a tool's title is no
# annotation, and the metadata of an embedded resource is that of its contents.
UNUSED = {
    "EmbeddedResource": {"_meta"},
    "Tool": {"execution"},
    "ToolAnnotations": {"title"},
    "ServerCapabilities": {"experimental", "tasks", "extensions"},
}
BLOCKS = {
    "text": "TextContent",
    "image": "ImageContent",
    "audio": "AudioContent",
    "resource_link": "ResourceLink",
    "resource": "EmbeddedResource",
}


def used(objects: list[dict[str, Any]]) -> set[str]:
    return {name for one in objects for name in one}


async def rich_objects(client: Client) -> dict[str, list[dict[str, Any]]]:
    """Return what the server has of each type that revisions differ in."""
    found: dict[str, list[dict[str, Any]]] = {}
    for method, kind in (
        ("tools/list", "Tool"),
        ("resources/list", "Resource"),
        ("resources/templates/list", "ResourceTemplate"),
        ("prompts/list", "Prompt"),
    ):
        found[kind] = items(await client.result(method))
    found["PromptArgument"] = [
        one for prompt in found["Prompt"] for one in prompt.get("arguments", ())
    ]
    found["ToolAnnotations"] = [t.get("annotations", {}) for t in found["Tool"]]
    content = (await client.call("everything"))["content"]
    for kind, name in BLOCKS.items():
        found[name] = [block for block in content if block["type"] == kind]
    found["Annotations"] = [block.get("annotations", {}) for block in content]
    found["TextResourceContents"] = items(
        await client.result("resources/read", {"uri": "doc://folder"})
    )[:1]
    described = await client.connect() or await client.result("server/discover")
    server = described.get("serverInfo") or described["_meta"][META + "serverInfo"]
    found["ServerCapabilities"] = [described["capabilities"]]
    found["Implementation"] = [server]
    found["Icon"] = [icon for tool in found["Tool"] for icon in tool.get("icons", ())]
    return found


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("conf", [{}])
async def test_all_that_a_revision_knows_is_sent(opened: Opened, revision: str) -> None:
    """Nothing is lost on the way to a revision that has a member for it."""
    schema = official(revision)
    async with opened(revision) as client:
        found = await rich_objects(client)
        message = client.message("tools/call", {"name": "talk", "arguments": {}})
        message["params"].setdefault("_meta", {})["progressToken"] = 1
        async with client.open(message) as reply:
            progress = (await reply.message())["params"]
    for name, objects in found.items():
        if schema.has(name):
            assert used(objects) == schema.members(name) - UNUSED.get(name, set()), name
    assert used(found["Annotations"]) >= {"audience", "priority"}
    told = {"progressToken", "progress", "total"}
    assert progress.keys() == (told if revision == ALL[0] else told | {"message"})


@pytest.mark.parametrize("revision", LEGACY)
@pytest.mark.parametrize("conf", [{"ANSWER_TIMEOUT_S": 0.05}])
async def test_a_question_that_nobody_answers_is_taken_back(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        message = client.message("tools/call", {"name": "ask_roots", "arguments": {}})
        async with client.open(message) as reply:
            asked, taken_back, answer = [one async for one in reply.messages()]
    assert taken_back["method"] == "notifications/cancelled"
    assert taken_back["params"]["requestId"] == asked["id"]
    assert answer["result"]["isError"] is True
    assert "CancelledNotification" in client.heard


@pytest.mark.parametrize("revision", LEGACY)
async def test_a_refused_handshake_is_an_error_of_the_schema(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        refused = await client.request("initialize", {"protocolVersion": 7})
    assert refused["error"]["code"] == -32602


async def test_batches_are_what_the_schema_says(opened: Opened) -> None:
    async with opened("2025-03-26") as client:
        batch = [
            client.message("ping"),
            client.message("tools/call", {"name": "place", "arguments": {"city": "x"}}),
            client.message("no/such"),
            client.notification("notifications/initialized"),
        ]
        async with client.open(batch) as reply:
            said = [message async for message in reply.messages()]
            assert not reply.is_stream
    assert [m["id"] for m in said] == [m["id"] for m in batch[:3]]
    assert client.heard >= {"JSONRPCBatchResponse", "EmptyResult", "CallToolResult"}


@pytest.mark.parametrize(
    ("headers", "params", "code", "name"),
    [
        ({"Mcp-Method": "ping"}, {}, -32020, "HeaderMismatchError"),
        (
            {},
            {"_meta": {META + "clientCapabilities": {}}},
            -32021,
            "MissingRequiredClientCapabilityError",
        ),
        (
            {"MCP-Protocol-Version": "1999-01-01"},
            {"_meta": {META + "protocolVersion": "1999-01-01"}},
            -32022,
            "UnsupportedProtocolVersionError",
        ),
    ],
)
async def test_the_errors_of_their_own_are_what_the_schema_says(
    opened: Opened,
    headers: dict[str, str],
    params: dict[str, Any],
    code: int,
    name: str,
) -> None:
    async with opened(MODERN) as client:
        call = {"name": "ask_form", "arguments": {}, **params}
        message = client.message("tools/call", call)
        async with client.open(message, headers=headers) as reply:
            (error,) = [one async for one in reply.messages()]
    assert (reply.status, error["id"]) == (400, message["id"])
    assert error["error"]["code"] == code
    assert client.heard == {name}


@pytest.mark.parametrize("revision", ["2025-11-25", MODERN])
@pytest.mark.parametrize("body", [b"{", b"17", b"[]", b'{"jsonrpc":"1.0"}'])
async def test_an_error_without_a_readable_id_has_none(
    opened: Opened, revision: str, body: bytes
) -> None:
    async with opened(revision) as client:
        response = await client.send(body)
    error = json.loads(response.content)
    assert "id" not in error
    official(revision).check("JSONRPCMessage", error)
    official(revision).check_error(error)


# In this process.


class Recording:
    """A transport that keeps what came, and which method each answer is for."""

    def __init__(self, inner: LinkedTransport) -> None:
        self._inner = inner
        self.asked: dict[Any, str] = {}
        self.received: list[dict[str, Any]] = []
        self.start, self.close, self.error = inner.start, inner.close, inner.error

    async def send(self, message: bytes) -> None:
        sent = json.loads(message)
        if "id" in sent and "method" in sent:
            self.asked[sent["id"]] = sent["method"]
        await self._inner.send(message)

    async def receive(self) -> bytes | None:
        message = await self._inner.receive()
        if message is not None:
            self.received.append(json.loads(message))
        return message


class Linked(Client):
    """The script's client, on the one that ``connect`` gives."""

    def __init__(self, inside: Inside, transport: Recording, revision: str) -> None:
        self.inside = inside
        self.transport = transport
        self.stateful = REVISIONS[revision].stateful

    async def request(self, method: str, params: Any = None) -> Any:
        before = len(self.transport.received)
        await asyncio.gather(
            self.inside.request(method, params), return_exceptions=True
        )
        answers = self.transport.received[before:]
        return next(m for m in answers if "id" in m and "method" not in m)


async def answer_form(params: dict[str, Any]) -> dict[str, Any]:
    return ANSWERS["elicitation/create"]


async def answer_model(params: dict[str, Any]) -> dict[str, Any]:
    return ANSWERS["sampling/createMessage"]


@asynccontextmanager
async def linked(revision: str) -> AsyncIterator[Linked]:
    """Do what ``mcp_transport.connect`` does, with an ear on the transport."""
    here, there = LinkedTransport.pair()
    serving = asyncio.create_task(serve(get_server(), there, CALLERS[ALICE], BINDING))
    transport = Recording(here)
    inside = Inside(
        transport,
        REVISIONS[revision],
        elicit=answer_form,
        sample=answer_model,
        roots=ANSWERS["roots/list"]["roots"],
        log_level="info",
    )
    inside.capabilities = CAPABILITIES
    try:
        async with asyncio.timeout(BOUND_S):
            await inside.start()
            yield Linked(inside, transport, revision)
    finally:
        await inside.close()
        await serving


async def listen_inside(client: Linked) -> None:
    await client.request("server/discover")
    async with client.inside.listen(**FILTER) as queue:
        said = [await queue.get()]
        await change_all(client)
        said += [await queue.get() for _ in range(7)]
        get_server().end_streams()
        assert await queue.get() is None
    assert [one[0] for one in said if one][1:7] == CHANGES


async def subscribe_inside(client: Linked) -> None:
    await client.request("ping")
    await client.request("logging/setLevel", {"level": "debug"})
    await client.request("resources/subscribe", {"uri": "doc://one"})
    await change_all(client)
    await client.request("resources/unsubscribe", {"uri": "doc://one"})


@pytest.mark.parametrize("revision", ALL)
async def test_all_that_is_sent_in_process_is_what_the_schema_says(
    configured: None, revision: str
) -> None:
    async with linked(revision) as client:
        await ask_for_everything(client)
        await make_every_mistake(client)
        if client.stateful:
            await subscribe_inside(client)
        else:
            await listen_inside(client)
    transport, schema = client.transport, official(revision)
    heard = {schema.check_message(m, transport.asked) for m in transport.received}
    assert sendable(revision) - heard == set()


def test_the_schemas_refuse_what_is_of_another_revision() -> None:
    for revision in ALL:
        result = {"content": [], "resultType": "complete"}
        message = {"jsonrpc": "2.0", "id": 1, "result": result}
        if REVISIONS[revision].stateful:
            with pytest.raises(pytest.fail.Exception, match="resultType"):
                official(revision).check_message(message, {1: "tools/call"})
        else:
            official(revision).check_message(message, {1: "tools/call"})


@pytest.mark.parametrize(
    ("ci", "outcome"),
    [("true", pytest.fail.Exception), ("", pytest.skip.Exception)],
)
def test_without_the_schemas_nothing_passes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ci: str, outcome: type[Exception]
) -> None:
    monkeypatch.setattr("tests.schemas.BESIDE", tmp_path / "none")
    monkeypatch.setenv("MCP_SCHEMA_DIR", str(tmp_path / "neither"))
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="official schemas"):
        official(MODERN)
