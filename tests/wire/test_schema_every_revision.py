"""Every kind of message that the server sends, held against the official schema.

All methods of all revisions, in this process and over HTTP. The clients in
``tests.wire.client`` judge each message as it comes; here it is made sure that
each kind did come.
"""

from __future__ import annotations

from typing import Any

import pytest

from mcp_transport.conf import get_server
from mcp_transport.protocol.revisions import REVISIONS
from tests.schemas import NOTIFICATIONS, REQUESTS, RESULTS, official
from tests.wire.client import ALL, MODERN, Client
from tests.wire.conftest import Opened
from tests.wire.script import (
    CALLS,
    COMPLETIONS,
    LISTS,
    MISTAKES,
    PROMPTS,
    READS,
)

KINDS = ("tools", "prompts", "resources")
META = "io.modelcontextprotocol/"


def sendable(revision: str) -> set[str]:
    """Return the names of all that a server of this revision ever sends."""
    schema = official(revision)
    named = {*RESULTS.values(), *NOTIFICATIONS.values(), *REQUESTS.values()}
    sent = {name for name in named if schema.has(name)}
    sent -= {"PingRequest"}  # ours has no need to
    if REVISIONS[revision].stateful:
        return sent
    # Questions travel inside a result, and only stdio can be told of an end.
    questions = set(REQUESTS.values())
    return sent - questions - {"CancelledNotification"} | {"InputRequiredResult"}


@pytest.fixture
def conf() -> dict[str, Any]:
    return {"PAGE_SIZE": 4, "ANSWER_TIMEOUT_S": 0.2}


async def pages(client: Client, method: str) -> list[Any]:
    """Return every item of a list, page by page."""
    (member,) = {
        "tools/list": ["tools"],
        "resources/list": ["resources"],
        "resources/templates/list": ["resourceTemplates"],
        "prompts/list": ["prompts"],
    }[method]
    page = await client.result(method)
    found = list(page[member])
    while "nextCursor" in page:
        page = await client.result(method, {"cursor": page["nextCursor"]})
        found += page[member]
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


CHANGES = [f"notifications/{kind}/list_changed" for kind in KINDS for _ in range(2)]


async def watch_a_session(client: Client) -> None:
    """Subscribe, and hear of all changes on the session's own stream."""
    await client.result("ping")
    await client.result("logging/setLevel", {"level": "debug"})
    await client.result("resources/subscribe", {"uri": "doc://one"})
    async with client.stream() as stream:
        assert stream.status == 200
        await change_all(client)
        heard = [await stream.message() for _ in range(7)]
    assert [m["method"] for m in heard] == [*CHANGES, "notifications/resources/updated"]
    await client.result("resources/unsubscribe", {"uri": "doc://one"})


async def watch_by_request(client: Client) -> None:
    """Discover, and hear of all changes on a listen request's stream."""
    found = await client.result("server/discover")
    assert found["supportedVersions"] == [MODERN]
    wanted = {
        "toolsListChanged": True,
        "promptsListChanged": True,
        "resourcesListChanged": True,
        "resourceSubscriptions": ["doc://one", "doc://none"],
    }
    message = client.message("subscriptions/listen", {"notifications": wanted})
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
    marks = [m.get("params", m.get("result"))["_meta"] for m in heard]
    assert {mark[META + "subscriptionId"] for mark in marks} == {message["id"]}


async def leave_a_question_unanswered(client: Client) -> None:
    """The server takes its question back, and the tool says why it failed."""
    message = client.message("tools/call", {"name": "ask_roots", "arguments": {}})
    async with client.open(message) as reply:
        asked, cancelled, answer = [one async for one in reply.messages()]
    assert cancelled["params"]["requestId"] == asked["id"]
    assert answer["result"]["isError"] is True


@pytest.mark.parametrize("revision", ALL)
async def test_all_that_is_sent_over_http_is_what_the_schema_says(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        await ask_for_everything(client)
        await make_every_mistake(client)
        if client.stateful:
            await watch_a_session(client)
            await leave_a_question_unanswered(client)
        else:
            await watch_by_request(client)
        assert client.heard >= sendable(revision)
