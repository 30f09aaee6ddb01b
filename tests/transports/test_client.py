from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.changes import ListChanged, ResourceUpdated
from mcp_transport.engine.context import Context
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.server import Server
from mcp_transport.protocol.errors import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    ProtocolError,
)
from mcp_transport.protocol.peer import (
    CAPABILITIES_KEY,
    CLIENT_INFO_KEY,
    LOG_LEVEL_KEY,
    VERSION_KEY,
)
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL, REVISIONS
from mcp_transport.transports.client import INFO, MAX_ROUNDS, Client
from mcp_transport.transports.inprocess import LinkedTransport, connect
from tests.engine.exchanges import (
    PATIENCE_S,
    Json,
    every_revision,
    every_stateful,
    every_stateless,
    serving,
    text_of,
)


@asynccontextmanager
async def facing(
    revision: Revision, answer: Callable[[Json], Json | None], **options: Any
) -> AsyncIterator[tuple[Client, LinkedTransport, list[Json]]]:
    """Connect a client to a server that the test plays; keep what it hears.

    ``answer`` makes the result of each request, or None to be silent.
    """
    here, there = LinkedTransport.pair()
    heard: list[Json] = []

    async def play() -> None:
        while (data := await there.receive()) is not None:
            message = json.loads(data)
            heard.append(message)
            result = answer(message) if "id" in message else None
            if result is not None:
                reply = {"jsonrpc": "2.0", "id": message["id"], **result}
                await there.send(json.dumps(reply).encode())

    playing = asyncio.create_task(play())
    client = Client(here, revision, **options)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await client.start()
            yield client, there, heard
    finally:
        await client.close()
        await playing


def agreeing(message: Json) -> Json | None:
    return {"result": {}}


def item(pk: str) -> str:
    return pk


def library() -> tuple[Shelf, Server]:
    shelf = Shelf()
    for n in range(5):
        shelf.tool(name=f"t{n}")(lambda: "x")
        shelf.resource(f"docs://{n}", name=f"r{n}")(lambda: "text")
        shelf.resource(f"docs://{n}/{{pk}}", name=f"m{n}")(item)

    @shelf.prompt(completions={"tone": ["kind", "firm"]})
    def letter(tone: str) -> str:
        return f"A {tone} letter."

    @shelf.tool
    def talk(ctx: Context) -> str:
        ctx.progress(0.5)
        ctx.log("warning", "careful")
        ctx.log("debug", "details")
        return "done"

    return shelf, serving(shelf, limits=Limits(page_size=2))


# The handshake and the metadata.


@every_stateful
async def test_a_session_begins_with_a_handshake(revision: Revision) -> None:
    async with facing(revision, agreeing, roots=[], info={"name": "me"}) as (
        client,
        _,
        heard,
    ):
        await client.ping()
    hello, ready, ping = heard
    assert hello["method"] == "initialize"
    assert hello["params"] == {
        "protocolVersion": revision.name,
        "capabilities": {"roots": {}},
        "clientInfo": {"name": "me"},
    }
    assert ready == {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert ping == {"jsonrpc": "2.0", "id": ping["id"], "method": "ping"}
    assert ping["id"] != hello["id"]


@every_stateless
async def test_a_stateless_request_says_it_all(revision: Revision) -> None:
    async with facing(revision, agreeing, log_level="info", roots=[]) as (
        client,
        _,
        heard,
    ):
        await client.call_tool("x", {"a": 1}, progress_token="p")
    (call,) = heard
    assert call["params"] == {
        "name": "x",
        "arguments": {"a": 1},
        "_meta": {
            VERSION_KEY: revision.name,
            CAPABILITIES_KEY: {"roots": {}},
            CLIENT_INFO_KEY: INFO,
            LOG_LEVEL_KEY: "info",
            "progressToken": "p",
        },
    }


@every_revision
async def test_it_declares_what_it_answers_and_the_revision_has(
    revision: Revision,
) -> None:
    async def answer(params: Json) -> Json:
        return {}

    here, _ = LinkedTransport.pair()
    assert Client(here, revision).capabilities == {}
    client = Client(here, revision, elicit=answer, sample=answer, roots=[])
    declared: Json = {"sampling": {}, "roots": {}}
    if ("elicitation", "url") in revision.asks:
        declared["elicitation"] = {"form": {}, "url": {}}
    elif ("elicitation", "form") in revision.asks:
        declared["elicitation"] = {}
    assert client.capabilities == declared


# Requests.


@every_revision
async def test_an_error_is_raised_as_it_came(revision: Revision) -> None:
    def fail(message: Json) -> Json:
        if message["method"] == "initialize":
            return {"result": {}}
        return {"error": {"code": -5, "message": "no", "data": {"a": 1}}}

    async with facing(revision, fail) as (client, _, _):
        with pytest.raises(ProtocolError) as caught:
            await client.request("tools/list")
    assert caught.value.to_json() == {"code": -5, "message": "no", "data": {"a": 1}}


async def test_answers_find_their_requests_in_any_order() -> None:
    waiting: list[Json] = []
    all_wait = asyncio.Event()

    def hold(message: Json) -> None:
        waiting.append(message)
        if len(waiting) == 3:
            all_wait.set()

    async with facing(LATEST, hold) as (client, there, _):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(client.request(f"m{n}")) for n in range(3)]
            await all_wait.wait()
            for message in reversed(waiting):
                result = {"was": message["method"]}
                reply = {"jsonrpc": "2.0", "id": message["id"], "result": result}
                await there.send(json.dumps(reply).encode())
        assert [task.result() for task in tasks] == [{"was": f"m{n}"} for n in range(3)]


async def test_who_stops_waiting_tells_the_server() -> None:
    def hold(message: Json) -> None:
        return None

    async with facing(LATEST, hold) as (client, _, heard):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await client.request("slow")
        await client.notify("last")
    request, cancelled, _ = heard
    assert cancelled == {
        "jsonrpc": "2.0",
        "method": "notifications/cancelled",
        "params": {"requestId": request["id"]},
    }


async def test_a_wait_is_ended_though_the_server_cannot_be_told() -> None:
    async with facing(LATEST, lambda message: None) as (client, there, _):
        task = asyncio.create_task(client.request("slow"))
        await asyncio.sleep(0)
        there._closed = True
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        there._closed = False


async def test_when_the_server_goes_nobody_waits() -> None:
    def go(message: Json) -> None:
        return None

    async with facing(LATEST, go) as (client, there, _):
        waiting = asyncio.create_task(client.request("slow"))
        await asyncio.sleep(0)
        await there.close()
        with pytest.raises(ConnectionError, match="the server has gone"):
            await waiting
        with pytest.raises(ConnectionError):
            await client.request("late")


async def test_when_the_client_is_closed_nobody_waits() -> None:
    async with facing(LATEST, lambda message: None) as (client, _, _):
        waiting = asyncio.create_task(client.request("slow"))
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises(ConnectionError, match="the server has gone"):
            await waiting


async def test_an_answer_to_nothing_is_no_matter() -> None:
    async with facing(LATEST, agreeing) as (client, there, _):
        for message in (
            b'{"jsonrpc":"2.0","id":99,"result":{}}',
            b'{"jsonrpc":"2.0","error":{"code":1,"message":"x"}}',
        ):
            await there.send(message)
        assert await client.request("x") == {}


# What the server asks.


@pytest.mark.parametrize("revision", [LATEST_STATEFUL])
async def test_live_questions_are_answered(revision: Revision) -> None:
    async def elicit(params: Json) -> Json:
        if params.get("fail"):
            raise ProtocolError(-7, "not now")
        return {"action": "accept", "content": params}

    roots = [{"uri": "file:///a"}]
    async with facing(revision, agreeing, elicit=elicit, roots=roots) as (
        client,
        there,
        heard,
    ):
        asked: list[tuple[str, Json]] = [
            ("ping", {}),
            ("roots/list", {}),
            ("elicitation/create", {"m": 1}),
            ("elicitation/create", {"fail": True}),
            ("sampling/createMessage", {}),
            ("tools/list", {}),
        ]
        for n, (method, params) in enumerate(asked):
            request = {"jsonrpc": "2.0", "id": f"q{n}", "method": method}
            await there.send(json.dumps({**request, "params": params}).encode())
        await client.ping()
        await client.ping()
    answers = {m["id"]: m for m in heard if "method" not in m}
    assert [answers[f"q{n}"].get("result") for n in range(3)] == [
        {},
        {"roots": roots},
        {"action": "accept", "content": {"m": 1}},
    ]
    assert answers["q3"]["error"] == {"code": -7, "message": "not now"}
    for n in (4, 5):
        assert answers[f"q{n}"]["error"]["code"] == METHOD_NOT_FOUND


async def test_questions_in_a_result_are_answered_by_a_retry() -> None:
    def ask(message: Json) -> Json:
        params = message["params"]
        if "inputResponses" in params:
            return {"result": {"resultType": "complete", "got": params}}
        request = {"method": "roots/list"}
        result = {"resultType": "input_required", "inputRequests": {"r": request}}
        return {"result": {**result, "requestState": "s"}}

    roots = [{"uri": "file:///a"}]
    async with facing(LATEST, ask, roots=roots) as (client, _, heard):
        got = (await client.read_resource("a:b"))["got"]
    assert got["inputResponses"] == {"r": {"roots": roots}}
    assert (got["requestState"], got["uri"]) == ("s", "a:b")
    assert heard[0]["id"] != heard[1]["id"]


async def test_a_state_alone_means_to_come_again() -> None:
    def shed(message: Json) -> Json:
        if "requestState" in message["params"]:
            assert "inputResponses" not in message["params"]
            return {"result": {"resultType": "complete"}}
        return {"result": {"resultType": "input_required", "requestState": "s"}}

    async with facing(LATEST, shed) as (client, _, heard):
        assert await client.call_tool("x") == {"resultType": "complete"}
    assert len(heard) == 2


async def test_a_server_that_never_has_enough_is_given_up() -> None:
    def insist(message: Json) -> Json:
        return {"result": {"resultType": "input_required", "requestState": "s"}}

    async with facing(LATEST, insist) as (client, _, heard):
        with pytest.raises(ProtocolError, match="no result after 10 rounds") as caught:
            await client.call_tool("x")
    assert caught.value.code == INTERNAL_ERROR
    assert len(heard) == MAX_ROUNDS + 1


async def test_a_question_that_it_cannot_answer_is_an_error() -> None:
    def ask(message: Json) -> Json:
        questions = {"q": {"method": "sampling/createMessage", "params": {}}}
        result = {"resultType": "input_required", "inputRequests": questions}
        return {"result": result}

    async with facing(LATEST, ask) as (client, _, _):
        with pytest.raises(ProtocolError) as caught:
            await client.call_tool("x")
    assert caught.value.code == METHOD_NOT_FOUND


# Every method, against a server of ours.


@every_revision
async def test_lists_are_read_to_their_end(revision: Revision) -> None:
    _, server = library()
    async with connect(server, revision=revision.name) as client:
        tools = [tool["name"] for tool in await client.list_tools()]
        resources = [entry["name"] for entry in await client.list_resources()]
        templates = [entry["name"] for entry in await client.list_resource_templates()]
        prompts = [prompt["name"] for prompt in await client.list_prompts()]
    assert tools == ["t0", "t1", "t2", "t3", "t4", "talk"]
    assert resources == [f"r{n}" for n in range(5)]
    assert templates == [f"m{n}" for n in range(5)]
    assert prompts == ["letter"]


@every_revision
async def test_every_method_has_a_name_here(revision: Revision) -> None:
    _, server = library()
    async with connect(server, revision=revision.name) as client:
        assert text_of(await client.call_tool("t1")) == "x"
        read = await client.read_resource("docs://3/x")
        assert read["contents"][0]["text"] == "x"
        prompt = await client.get_prompt("letter", {"tone": "kind"})
        assert prompt["messages"][0]["content"]["text"] == "A kind letter."
        ref = {"type": "ref/prompt", "name": "letter"}
        found = await client.complete(ref, "tone", "f", {"other": "x"})
        assert found["completion"]["values"] == ["firm"]
        if revision.stateful:
            assert await client.ping() == {}
        else:
            discovered = await client.discover()
            assert discovered["supportedVersions"] == [revision.name]


@every_revision
async def test_what_the_server_tells_is_heard_and_kept(revision: Revision) -> None:
    _, server = library()
    heard: list[tuple[str, Json]] = []

    def hear(method: str, params: Json) -> None:
        heard.append((method, params))

    async with connect(server, revision=revision.name, notified=hear) as client:
        await client.set_log_level("warning")
        await client.call_tool("talk", progress_token="p")
        assert client.notifications == heard
        await client.set_log_level("debug")
        await client.call_tool("talk")
    assert heard == [
        ("notifications/progress", {"progressToken": "p", "progress": 0.5}),
        ("notifications/message", {"level": "warning", "data": "careful"}),
        ("notifications/message", {"level": "warning", "data": "careful"}),
        ("notifications/message", {"level": "debug", "data": "details"}),
    ]


@every_stateful
async def test_a_session_subscribes(revision: Revision) -> None:
    _, server = library()
    async with connect(server, revision=revision.name) as client:
        await client.subscribe("docs://1")
        server.changes.publish(ResourceUpdated("docs://1"))
        await client.unsubscribe("docs://1")
        server.changes.publish(ResourceUpdated("docs://1"))
        await client.ping()
        assert client.notifications == [
            ("notifications/resources/updated", {"uri": "docs://1"})
        ]


@every_stateless
async def test_a_stateless_client_listens(revision: Revision) -> None:
    _, server = library()
    async with (
        asyncio.timeout(PATIENCE_S),
        connect(server, revision=revision.name) as client,
        client.listen(toolsListChanged=True) as tools,
        client.listen(promptsListChanged=True) as prompts,
    ):
        for queue in (tools, prompts):
            acknowledged = await queue.get()
            assert acknowledged is not None
            assert acknowledged[0] == "notifications/subscriptions/acknowledged"
        server.changes.publish(ListChanged("prompts"))
        changed = await prompts.get()
        assert changed is not None
        assert changed[0] == "notifications/prompts/list_changed"
        assert tools.empty()
        server.end_streams()
        assert await tools.get() is None
        assert await prompts.get() is None


async def test_who_stops_listening_is_not_told_any_more() -> None:
    _, server = library()
    async with asyncio.timeout(PATIENCE_S), connect(server) as client:
        async with client.listen(toolsListChanged=True) as queue:
            await queue.get()
            assert len(server.listeners) == 1
        await client.list_prompts()
        assert len(server.listeners) == 0


@pytest.mark.parametrize(
    ("revision", "wanted", "code"),
    [
        (LATEST, {"toolsListChanged": "yes"}, INVALID_PARAMS),
        (LATEST_STATEFUL, {"toolsListChanged": True}, METHOD_NOT_FOUND),
    ],
)
async def test_who_may_not_listen_is_told_why(
    revision: Revision, wanted: Json, code: int
) -> None:
    _, server = library()
    async with (
        asyncio.timeout(PATIENCE_S),
        connect(server, revision=revision.name) as client,
    ):
        with pytest.raises(ProtocolError) as caught:
            async with client.listen(**wanted) as queue:
                assert await queue.get() is None
    assert caught.value.code == code


def test_there_is_a_client_for_every_revision() -> None:
    here, _ = LinkedTransport.pair()
    assert [Client(here, r).revision for r in REVISIONS.values()] == [
        *REVISIONS.values()
    ]
