"""Sessions of the stateful revisions, and batches of the one that has them.

Spec: 2025-11-25 basic/transports #session-management; 2025-03-26 basic/index
#batching.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.client import LEGACY, MODERN, Client, Headers
from tests.wire.conftest import Opened
from tests.wire.tokens import BOB

BATCHING = "2025-03-26"
OTHERS = [revision for revision in LEGACY if revision != BATCHING]
UNKNOWN = "A" * 32


async def gone(client: Client, verb: str, session: str) -> tuple[int, bytes]:
    """Return the answer to one who has no such session."""
    message = client.message("ping") if verb == "POST" else None
    headers: Headers = {"Mcp-Session-Id": session, "Last-Event-ID": None}
    response = await client.send(message, verb=verb, headers=headers)
    assert "mcp-session-id" not in response.headers
    return response.status_code, response.content


@pytest.mark.parametrize("revision", LEGACY)
@pytest.mark.parametrize("verb", ["POST", "GET", "DELETE"])
async def test_anothers_session_is_as_unknown_as_none(
    opened: Opened, revision: str, verb: str
) -> None:
    async with opened(revision) as alice, opened(revision, token=BOB) as bob:
        assert alice.session is not None
        unknown = await gone(bob, verb, UNKNOWN)
        assert unknown[0] == 404
        for session in (alice.session, alice.session.swapcase(), "", "a b", "\t"):
            assert await gone(bob, verb, session) == unknown
        assert (await alice.request("ping"))["result"] == {}


@pytest.mark.parametrize("revision", LEGACY)
async def test_a_request_needs_its_session(opened: Opened, revision: str) -> None:
    async with opened(revision) as client:
        without: Headers = {"Mcp-Session-Id": None}
        twice: Headers = {"Mcp-Session-Id": (str(client.session), str(client.session))}
        for message in (client.message("ping"), client.notification("notifications/x")):
            missing = await client.send(message, headers=without)
            assert missing.status_code == 400
            assert "Mcp-Session-Id" in missing.json()["error"]["message"]
            repeated = await client.send(message, headers=twice)
            assert repeated.status_code == 404


@pytest.mark.parametrize("revision", LEGACY)
async def test_delete_ends_a_session(opened: Opened, revision: str) -> None:
    async with opened(revision) as client:
        deleted = await client.send(None, verb="DELETE")
        assert (deleted.status_code, deleted.content) == (204, b"")
        for verb in ("POST", "GET", "DELETE"):
            assert (await gone(client, verb, str(client.session)))[0] == 404


@pytest.mark.parametrize("revision", LEGACY)
async def test_delete_ends_what_the_session_still_does(
    opened: Opened, revision: str, gate: str
) -> None:
    async with opened(revision) as client, opened(MODERN) as watch:
        call = {"name": "hold", "arguments": {"gate": gate, "aloud": True}}
        call["_meta"] = {"progressToken": 1}
        async with (
            client.open(client.message("tools/call", call)) as reply,
            client.stream() as stream,
        ):
            await reply.message()
            await client.send(None, verb="DELETE")
            assert await reply.event() is None
            while (event := await stream.event()) is not None:
                assert event.data == b""
        assert await watch.text("fate", gate=gate) == "cancelled"


@pytest.mark.parametrize("revision", LEGACY)
async def test_a_session_id_is_the_servers_to_make(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        params = {"protocolVersion": revision, "capabilities": {}}
        handshake = client.message("initialize", params)
        chosen: Headers = {"Mcp-Session-Id": UNKNOWN}
        first = await client.send(handshake, headers=chosen)
        again = await client.send(handshake)
    made = {client.session} | {r.headers["mcp-session-id"] for r in (first, again)}
    assert len(made) == 3
    assert UNKNOWN not in made
    for session in made:
        assert session is not None
        assert len(session) >= 32
        assert all(0x21 <= ord(letter) <= 0x7E for letter in session)


@pytest.mark.parametrize("revision", LEGACY)
async def test_a_failed_handshake_makes_no_session(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        for params in ({}, {"protocolVersion": 1}, {"protocolVersion": None}):
            response = await client.send(client.message("initialize", params))
            assert response.json()["error"]["code"] == -32602
            assert "mcp-session-id" not in response.headers


@pytest.mark.parametrize("revision", LEGACY)
@pytest.mark.parametrize("conf", [{"MAX_SESSIONS": 2}])
async def test_at_the_cap_the_oldest_session_makes_room(
    opened: Opened, revision: str
) -> None:
    async with (
        opened(revision) as first,
        opened(revision) as second,
        opened(revision, token=BOB) as other,
    ):
        assert (await first.request("ping"))["result"] == {}
        async with opened(revision) as third:
            assert (await gone(second, "POST", str(second.session)))[0] == 404
            for client in (first, third, other):
                assert (await client.request("ping"))["result"] == {}


@pytest.mark.parametrize("revision", LEGACY)
async def test_messages_without_answers_are_accepted(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        for message in (
            client.notification("notifications/initialized"),
            client.notification("notifications/roots/list_changed"),
            client.notification("notifications/unheard_of", {"a": 1}),
            client.notification("notifications/cancelled", {"requestId": "none"}),
            client.notification("notifications/cancelled", {"requestId": []}),
            client.notification("notifications/cancelled"),
            {"jsonrpc": "2.0", "id": "ask-none", "result": {}},
            {"jsonrpc": "2.0", "id": 7, "error": {"code": 1, "message": "x"}},
            {"jsonrpc": "2.0", "id": None, "error": {"code": 1, "message": "x"}},
        ):
            response = await client.send(message)
            assert (response.status_code, response.content) == (202, b""), message


@pytest.mark.parametrize("revision", LEGACY)
async def test_an_id_in_use_is_refused_and_free_again_afterwards(
    opened: Opened, revision: str, gate: str
) -> None:
    async with opened(revision) as client:
        call = {"name": "hold", "arguments": {"gate": gate, "aloud": True}}
        call["_meta"] = {"progressToken": 1}
        message = client.message("tools/call", call, id="same")
        ping = {"jsonrpc": "2.0", "id": "same", "method": "ping"}
        async with client.open(message) as reply:
            await reply.message()
            second = await client.send(ping)
            assert second.json()["error"]["code"] == -32600
            await client.call("release", gate=gate)
            assert "result" in [m async for m in reply.messages()][-1]
        assert (await client.send(ping)).json()["result"] == {}


# Batches.


async def test_a_batch_is_answered_by_a_batch(opened: Opened) -> None:
    async with opened(BATCHING) as client:
        batch = [client.message("ping"), client.message("tools/list", id="b")]
        response = await client.send(batch)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert {answer["id"] for answer in response.json()} == {batch[0]["id"], "b"}


@pytest.mark.parametrize("n", [1, 3])
async def test_a_batch_without_requests_has_no_answer(opened: Opened, n: int) -> None:
    async with opened(BATCHING) as client:
        for item in (
            client.notification("notifications/roots/list_changed"),
            {"jsonrpc": "2.0", "id": "none", "result": {}},
        ):
            response = await client.send([item] * n)
            assert (response.status_code, response.content) == (202, b"")


async def test_what_is_no_message_has_an_error_in_its_batch(opened: Opened) -> None:
    async with opened(BATCHING) as client:
        ping = client.message("ping")
        bad = {"jsonrpc": "1.0", "id": "bad", "method": "ping"}
        response = await client.send([ping, 7, bad, [ping]])
    answers = response.json()
    errors = [answer for answer in answers if "error" in answer]
    assert {answer.get("id") for answer in answers} == {ping["id"], None, "bad"}
    assert [error["error"]["code"] for error in errors] == [-32600] * 3


async def test_a_batch_that_says_something_first_is_a_stream(opened: Opened) -> None:
    async with opened(BATCHING) as client:
        call = {"name": "talk", "arguments": {}}
        batch = [client.message("tools/call", call), client.message("ping")]
        async with client.open(batch) as reply:
            assert reply.is_stream
            said = [message async for message in reply.messages()]
    answers = [message["id"] for message in said if "id" in message]
    assert sorted(answers) == [batch[0]["id"], batch[1]["id"]]
    assert len(said) == 5


@pytest.mark.parametrize("conf", [{"KEEP_ALIVE_S": 30}])
async def test_a_question_in_a_batch_does_not_wait_for_the_rest(
    opened: Opened, gate: str
) -> None:
    async with opened(BATCHING) as client:
        hold = {"name": "hold", "arguments": {"gate": gate}}
        ask = {"name": "ask_roots", "arguments": {}}
        batch = [client.message("tools/call", hold), client.message("tools/call", ask)]
        async with client.open(batch) as reply:
            question = await reply.message()
            assert question["method"] == "roots/list"
            await client.answer(question)
            assert (await reply.message())["id"] == batch[1]["id"]
            await client.call("release", gate=gate)
            assert (await reply.message())["id"] == batch[0]["id"]
            assert await reply.event() is None


async def test_a_handshake_is_not_in_a_batch(opened: Opened) -> None:
    async with opened(BATCHING) as client:
        params = {"protocolVersion": BATCHING, "capabilities": {}}
        handshake = client.message("initialize", params)
        for batch in ([handshake], [client.message("ping"), handshake]):
            response = await client.send(batch)
            assert response.status_code == 400
            assert response.json()["error"]["code"] == -32600


@pytest.mark.parametrize("revision", OTHERS)
@pytest.mark.parametrize("n", [1, 2])
async def test_the_other_revisions_have_no_batches(
    opened: Opened, revision: str, n: int
) -> None:
    async with opened(revision) as client:
        for item in (client.message("ping"), client.notification("notifications/x")):
            response = await client.send([item] * n)
            assert response.status_code == 400
            error: dict[str, Any] = response.json()
            assert error["error"]["code"] == -32600
            assert "id" not in error
