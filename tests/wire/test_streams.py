"""How a reply goes over the wire: as JSON or as events, to its end or not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_transport.conf import get_server
from tests.wire.client import ALL, ANSWERS, LEGACY, MODERN, Client
from tests.wire.conftest import Opened
from tests.wire.tokens import BOB

PRIMING = "2025-11-25"


def calling(client: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """Return the call of a tool by a client that wants to hear of progress."""
    meta = {"progressToken": f"token {tool}"}
    params = {"name": tool, "arguments": arguments, "_meta": meta}
    return client.message("tools/call", params)


@pytest.mark.parametrize("revision", ALL)
async def test_a_response_that_comes_first_is_json(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        for message in (calling(client, "echo"), client.message("no/such")):
            async with client.open(message) as reply:
                (answer,) = [one async for one in reply.messages()]
            assert reply.response.headers["content-type"] == "application/json"
            assert answer["id"] == message["id"]


@pytest.mark.parametrize("revision", ALL)
async def test_what_comes_before_the_response_makes_it_a_stream(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        message = calling(client, "talk", steps=2)
        async with client.open(message) as reply:
            said = [one async for one in reply.messages()]
    headers = reply.response.headers
    assert reply.status == 200
    assert headers["content-type"] == "text/event-stream"
    assert headers["cache-control"] == "no-store, no-transform"
    assert headers["x-accel-buffering"] == "no"
    assert headers["content-encoding"] == "identity"
    assert "content-length" not in headers
    assert [m.get("method", "response") for m in said] == [
        "notifications/progress",
        "notifications/message",
        "notifications/progress",
        "notifications/message",
        "response",
    ]
    assert [m["params"]["progress"] for m in said[:4:2]] == [1, 2]
    assert said[-1]["id"] == message["id"]


@pytest.mark.parametrize("revision", ALL)
async def test_only_who_asks_for_progress_and_logs_gets_them(
    opened: Opened, revision: str
) -> None:
    async with opened(revision, log_level=None) as client:
        if client.stateful:
            await client.result("logging/setLevel", {"level": "emergency"})
        params = {"name": "talk", "arguments": {}}
        async with client.open(client.message("tools/call", params)) as reply:
            assert not reply.is_stream
        meta = {"progressToken": 0}
        message = client.message("tools/call", {**params, "_meta": meta})
        async with client.open(message) as reply:
            said = [one async for one in reply.messages()]
    assert [m["params"]["progressToken"] for m in said[:-1]] == [0, 0, 0]


@pytest.mark.parametrize("revision", ALL)
async def test_which_events_can_be_resumed_from(opened: Opened, revision: str) -> None:
    """Spec: 2025-11-25 basic/transports #sending-messages-to-the-server: only
    there does a stream begin with a place to come back to.
    """
    events = []
    async with (
        opened(revision) as client,
        client.open(calling(client, "talk")) as reply,
    ):
        while (event := await reply.event()) is not None:
            events.append(event)
    primed = revision == PRIMING
    assert [e.data == b"" for e in events] == [primed] + [False] * (len(events) - 1)
    assert [e.retry_ms is None for e in events] == [not primed] + [True] * (
        len(events) - 1
    )
    ids = [event.id for event in events]
    if client.stateful:
        assert len(set(ids)) == len(ids)
        assert "" not in ids
    else:
        assert set(ids) == {""}
    assert {event.event for event in events} == {"message"}


@pytest.mark.parametrize("revision", LEGACY)
async def test_how_the_stream_of_a_session_begins(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client, client.stream() as stream:
        await stream.piece()
        assert (b"id: " in stream.raw) == (revision == PRIMING)
        assert (b"retry: " in stream.raw) == (revision == PRIMING)
        assert stream.raw.endswith(b"\n\n")


async def silence(reply: Any) -> None:
    """Read until two signs of life came in a row."""
    while not reply.raw.endswith(b":\n\n:\n\n"):
        assert await reply.piece() is not None


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("conf", [{"KEEP_ALIVE_S": 0.03}])
async def test_silence_is_broken_by_comments(
    opened: Opened, revision: str, gate: str
) -> None:
    async with opened(revision) as client:
        message = calling(client, "hold", gate=gate)
        async with client.open(message) as reply:
            assert reply.is_stream
            await silence(reply)
            await client.call("release", gate=gate)
            assert (await reply.message())["id"] == message["id"]
            assert await reply.event() is None


@pytest.mark.parametrize("conf", [{"KEEP_ALIVE_S": 0.03}])
async def test_silence_is_broken_where_nothing_is_asked(opened: Opened) -> None:
    async with opened(PRIMING) as old, old.stream() as stream:
        await silence(stream)
    async with opened(MODERN) as new:
        message = new.message("subscriptions/listen", {"notifications": {}})
        async with new.open(message) as stream:
            await silence(stream)


@pytest.mark.parametrize("revision", ALL)
async def test_an_error_after_the_first_event_is_part_of_the_stream(
    opened: Opened, revision: str
) -> None:
    """The status was sent already."""
    async with opened(revision, capabilities={}) as client:
        message = calling(client, "talk_and_ask")
        async with client.open(message) as reply:
            said = [one async for one in reply.messages()]
    assert (reply.status, reply.is_stream) == (200, True)
    if client.stateful:
        assert said[-1]["result"]["isError"] is True
    else:
        assert said[-1]["error"]["code"] == -32021


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("conf", [{"CALL_TIMEOUT_S": 0.05}])
async def test_a_call_has_a_deadline(opened: Opened, revision: str, gate: str) -> None:
    async with opened(revision) as client:
        for tool in ("hold", "hold_thread"):
            result = await client.call(tool, gate=gate + tool)
            assert result["isError"] is True
            assert await client.text("fate", gate=gate + tool) == "cancelled"


HOSTILE = [
    "a\r\nb",
    "a\n\ndata: x\n\n",
    "a\rid: 9\revent: x",
    "\u2028\u2029\u0085\x0b\x0c",
    "\x00\x1b[31m\x7f",
    "\ufeff\ud7ff\ue000\U0010ffff",
    ": comment",
    "",
]


@pytest.mark.parametrize("revision", ALL)
async def test_no_text_breaks_out_of_its_event(opened: Opened, revision: str) -> None:
    async with opened(revision) as client:
        for text in HOSTILE:
            async with client.open(calling(client, "say", text=text)) as reply:
                progress, log, answer = [one async for one in reply.messages()]
            assert progress["params"].get("message", text) == text
            assert log["params"]["data"] == {text: [text]}
            assert log["params"]["logger"] == text
            assert answer["result"]["content"][0]["text"] == text


# Questions, which are answered by a POST of their own.


@pytest.mark.parametrize("revision", LEGACY)
async def test_only_the_same_session_can_answer(opened: Opened, revision: str) -> None:
    async with (
        opened(revision) as alice,
        opened(revision, token=BOB) as bob,
        opened(revision) as other,
        alice.open(calling(alice, "ask_roots")) as reply,
    ):
        question = await reply.message()
        await bob.answer(question)
        await other.answer(question)
        roots = {"roots": [{"uri": "file:///alices"}]}
        mine = {"jsonrpc": "2.0", "id": question["id"], "result": roots}
        assert (await alice.send(mine)).status_code == 202
        answer = await reply.message()
    assert "file:///alices" in answer["result"]["content"][0]["text"]


@pytest.mark.parametrize("revision", ["2025-06-18", PRIMING])
@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        ({"result": {"action": "accept", "content": {"name": "Ada"}}}, False),
        ({"result": {"action": "decline"}}, False),
        ({"result": {"action": "cancel"}}, False),
        ({"result": {"action": "accept"}}, True),
        ({"result": {"action": "accept", "content": {"name": 7}}}, True),
        ({"result": {"action": "other"}}, True),
        ({"result": {}}, True),
        ({"error": {"code": -1, "message": "no"}}, True),
    ],
)
async def test_a_form_is_answered_in_many_ways(
    opened: Opened, revision: str, answer: dict[str, Any], failed: bool
) -> None:
    async with (
        opened(revision) as client,
        client.open(calling(client, "ask_form")) as reply,
    ):
        question = await reply.message()
        message = {"jsonrpc": "2.0", "id": question["id"], **answer}
        assert (await client.send(message)).status_code == 202
        result = (await reply.message())["result"]
    assert result.get("isError", False) == failed
    if not failed:
        assert result["content"][0]["text"].startswith(answer["result"]["action"])


@pytest.mark.parametrize("answers", [{}, {"form": []}, {"form": {"action": "maybe"}}])
async def test_a_stateless_answer_that_is_none_is_refused(
    opened: Opened, answers: dict[str, Any]
) -> None:
    async with opened(MODERN) as client:
        call = {"name": "ask_form", "arguments": {}}
        asked = (await client.request("tools/call", call))["result"]
        again = {
            **call,
            "requestState": asked["requestState"],
            "inputResponses": answers,
        }
        second = await client.request("tools/call", again)
        forged = {**again, "requestState": asked["requestState"] + "x"}
        third = await client.request("tools/call", forged)
    assert third["error"]["code"] == -32602
    if answers:
        assert second["error"]["code"] == -32602
    else:
        assert second["result"]["resultType"] == "input_required"


async def test_a_stateless_question_is_its_callers_own(opened: Opened) -> None:
    async with opened(MODERN) as alice, opened(MODERN, token=BOB) as bob:
        call = {"name": "ask_form", "arguments": {}}
        asked = (await alice.request("tools/call", call))["result"]
        call["requestState"] = asked["requestState"]
        call["inputResponses"] = {"form": ANSWERS["elicitation/create"]}
        assert (await bob.request("tools/call", call))["error"]["code"] == -32602
        assert "result" in await alice.request("tools/call", call)


# Ends before the end.


@pytest.mark.parametrize("revision", LEGACY)
@pytest.mark.parametrize("aloud", [True, False])
async def test_a_cancel_is_a_post_of_its_own(
    opened: Opened, revision: str, aloud: bool, gate: str
) -> None:
    async with opened(revision) as client:
        message = calling(client, "hold", gate=gate, aloud=aloud)
        cancel = {"requestId": message["id"], "reason": "enough"}
        async with asyncio.TaskGroup() as group:
            reply = group.create_task(client.send(message))
            assert await client.text("entered", gate=gate) == "true"
            cancelled = client.notification("notifications/cancelled", cancel)
            assert (await client.send(cancelled)).status_code == 202
            assert await client.text("fate", gate=gate) == "cancelled"
    response = reply.result()
    assert response.headers["content-type"] == "text/event-stream"
    assert b'"result"' not in response.content
    assert b'"error"' not in response.content


@pytest.mark.parametrize("revision", LEGACY)
async def test_another_session_cannot_cancel(
    opened: Opened, revision: str, gate: str
) -> None:
    async with opened(revision) as client, opened(revision) as other:
        message = calling(client, "hold", gate=gate, aloud=True)
        async with client.open(message) as reply:
            await reply.message()
            cancel = {"requestId": message["id"]}
            await other.send(other.notification("notifications/cancelled", cancel))
            await client.call("release", gate=gate)
            said = [one async for one in reply.messages()]
    assert said[-1]["result"]["content"][0]["text"] == f"released {gate}"


async def leave(client: Client, message: dict[str, Any], gate: str) -> None:
    """Send a call, and go away while it runs."""
    sending = asyncio.create_task(client.send(message))
    assert await client.text("entered", gate=gate) == "true"
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


@pytest.mark.parametrize("tool", ["hold", "hold_thread"])
@pytest.mark.parametrize("conf", [{"KEEP_ALIVE_S": 60}, {"KEEP_ALIVE_S": 0.02}])
async def test_leaving_cancels_a_stateless_call(
    opened: Opened, tool: str, gate: str
) -> None:
    """Before the headers were sent, and after."""
    async with opened(MODERN) as client:
        await leave(client, calling(client, tool, gate=gate), gate)
        assert await client.text("fate", gate=gate) == "cancelled"


@pytest.mark.parametrize("aloud", [True, False])
async def test_leaving_a_stream_cancels_a_stateless_call(
    opened: Opened, aloud: bool, gate: str
) -> None:
    """Under Django's handler a response is closed on another thread."""
    asyncio.get_running_loop().set_debug(True)  # refuses what is not thread-safe
    async with opened(MODERN) as client:
        message = calling(client, "hold", gate=gate, aloud=True)
        async with client.open(message) as reply:
            if aloud:
                await reply.message()
        assert await client.text("fate", gate=gate) == "cancelled"


@pytest.mark.parametrize("revision", LEGACY)
@pytest.mark.parametrize("tool", ["hold", "hold_thread"])
@pytest.mark.parametrize("conf", [{"KEEP_ALIVE_S": 60}, {"KEEP_ALIVE_S": 0.02}])
async def test_leaving_does_not_cancel_a_call_of_a_session(
    opened: Opened, revision: str, tool: str, gate: str
) -> None:
    async with opened(revision) as client:
        await leave(client, calling(client, tool, gate=gate), gate)
        await client.call("release", gate=gate)
        assert await client.text("fate", gate=gate) == "released"


@pytest.mark.parametrize("revision", ALL)
async def test_nothing_is_left_of_a_call(opened: Opened, revision: str) -> None:
    async with opened(revision) as client:
        for tool in ("echo", "talk", "everything", "refuse"):
            await client.call(tool)
    assert len(get_server().calls) == 0


@pytest.mark.parametrize("revision", ALL)
async def test_many_calls_at_once_get_each_its_own_answer(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        texts = [f"text {n}" for n in range(40)]
        tools = ["echo", "say"] * 20
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(client.text(tool, text=text))
                for tool, text in zip(tools, texts, strict=True)
            ]
    assert [task.result() for task in tasks] == texts
