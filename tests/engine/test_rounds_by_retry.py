"""How a stateless client is asked: by a result that it answers with a retry."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_transport.engine.caller import ANONYMOUS, Caller
from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.context import Context
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.server import Server
from mcp_transport.protocol.content import json_text
from mcp_transport.protocol.errors import INVALID_PARAMS, MISSING_CLIENT_CAPABILITY
from mcp_transport.protocol.signing import Signer
from tests.engine.asking import (
    BERGEN,
    CITY,
    EVERYTHING,
    FILES,
    FORM,
    OSLO,
    shelf_asking,
)
from tests.engine.exchanges import (
    Json,
    error,
    failure_of,
    reply,
    result,
    serving,
    text_of,
)


async def ask(
    server: Server, name: str, arguments: Json | None = None, **more: Any
) -> Json:
    """Call a tool for a client that can be asked everything."""
    caller = more.pop("caller", ANONYMOUS)
    params = {"name": name, "arguments": arguments or {}, **more}
    return await result(
        server, "tools/call", params, capabilities=EVERYTHING, caller=caller
    )


async def refused(server: Server, method: str = "tools/call", **params: Any) -> str:
    """Return the words of a request's refusal as malformed."""
    caller = params.pop("caller", ANONYMOUS)
    found = await error(server, method, params, capabilities=EVERYTHING, caller=caller)
    assert found["code"] == INVALID_PARAMS
    assert "data" not in found
    words: str = found["message"]
    return words


async def test_questions_are_a_result_of_their_own() -> None:
    server = serving(shelf_asking())
    message = await reply(
        server, "tools/call", {"name": "one"}, capabilities=EVERYTHING
    )
    found = message["result"]
    assert found.keys() == {"resultType", "inputRequests", "requestState", "_meta"}
    assert found["resultType"] == "input_required"
    assert found["inputRequests"] == {
        "it": {
            "method": "elicitation/create",
            "params": {"mode": "form", "message": "Ship to?", "requestedSchema": CITY},
        }
    }
    assert type(found["requestState"]) is str


async def test_a_page_is_asked_for_without_an_id() -> None:
    found = await ask(serving(shelf_asking()), "one", {"kind": "url"})
    assert found["inputRequests"]["it"]["params"] == {
        "mode": "url",
        "message": "Please pay.",
        "url": "https://shop.example/pay",
    }


async def test_roots_and_sampling_are_asked_for_in_the_same_way() -> None:
    server = serving(shelf_asking())
    roots = await ask(server, "one", {"kind": "roots"})
    assert roots["inputRequests"] == {"it": {"method": "roots/list", "params": {}}}
    sample = await ask(server, "one", {"kind": "sample"})
    assert sample["inputRequests"]["it"] == {
        "method": "sampling/createMessage",
        "params": {
            "messages": [
                {"role": "user", "content": {"type": "text", "text": "Say hello."}}
            ],
            "maxTokens": 10,
        },
    }


async def test_earlier_answers_need_not_be_sent_again() -> None:
    server = serving(shelf_asking())
    arguments = {"count": 2}
    first = await ask(server, "rounds", arguments)
    assert first["inputRequests"].keys() == {"q0"}
    second = await ask(
        server,
        "rounds",
        arguments,
        inputResponses={"q0": OSLO},
        requestState=first["requestState"],
    )
    assert second["inputRequests"].keys() == {"q1"}
    assert second["requestState"] != first["requestState"]
    last = await ask(
        server,
        "rounds",
        arguments,
        inputResponses={"q1": BERGEN},
        requestState=second["requestState"],
    )
    assert text_of(last) == "Oslo Bergen"


async def test_any_server_with_the_same_keys_can_go_on() -> None:
    first = await ask(serving(shelf_asking()), "rounds", {"count": 1})
    last = await ask(
        serving(shelf_asking()),
        "rounds",
        {"count": 1},
        inputResponses={"q0": OSLO},
        requestState=first["requestState"],
    )
    assert text_of(last) == "Oslo"


@pytest.mark.parametrize("missing", [{}, {"roots": None}])
async def test_what_was_not_answered_is_asked_again(missing: Json) -> None:
    server = serving(shelf_asking())
    first = await ask(server, "both")
    assert first["inputRequests"].keys() == {"where", "roots"}
    second = await ask(
        server,
        "both",
        inputResponses={"where": OSLO, **missing},
        requestState=first["requestState"],
    )
    assert second["inputRequests"].keys() == {"roots"}
    last = await ask(
        server,
        "both",
        inputResponses={"roots": FILES},
        requestState=second["requestState"],
    )
    assert text_of(last) == json_text({"where": OSLO, "roots": FILES})


async def test_an_answer_is_kept_by_a_run_that_does_not_come_to_ask_for_it() -> None:
    """Tasks of a group are cut off where the first of them has to ask."""
    shelf, runs = Shelf(), []

    @shelf.tool
    def forgetful(ctx: Context) -> str:
        runs.append(1)
        if len(runs) == 3:
            ctx.ask(third=FORM)
        first = ctx.ask(first=FORM)["first"]
        ctx.ask(second=FORM)
        return str(first["content"]["city"])

    server = serving(shelf)

    async def answering(found: Json, **responses: Json) -> Json:
        state = found["requestState"]
        return await ask(
            server, "forgetful", inputResponses=responses, requestState=state
        )

    found = await ask(server, "forgetful")
    assert found["inputRequests"].keys() == {"first"}
    found = await answering(found, first=BERGEN)
    assert found["inputRequests"].keys() == {"second"}
    found = await answering(found)
    assert found["inputRequests"].keys() == {"third"}
    found = await answering(found, third=OSLO, second=OSLO)
    assert text_of(found) == "Bergen"


async def test_answers_to_no_question_are_not_looked_at() -> None:
    server = serving(shelf_asking())
    first = await ask(server, "rounds", {"count": 1})
    last = await ask(
        server,
        "rounds",
        {"count": 1},
        inputResponses={"q0": OSLO, "other": OSLO, "list": [], "number": 5},
        requestState=first["requestState"],
    )
    assert text_of(last) == "Oslo"


@pytest.mark.parametrize("responses", [[], "x", 5, None, True])
async def test_answers_are_an_object(responses: Any) -> None:
    words = await refused(serving(shelf_asking()), name="one", inputResponses=responses)
    assert words == "inputResponses must be an object"


@pytest.mark.parametrize("answer", [[], "accept", 5, False])
async def test_an_answer_is_an_object(answer: Any) -> None:
    words = await refused(
        serving(shelf_asking()), name="one", inputResponses={"it": answer}
    )
    assert words == "inputResponses.it: an answer must be an object"


async def test_every_bad_answer_of_a_task_group_is_named() -> None:
    shelf = Shelf()

    @shelf.tool
    async def grouped(ctx: Context) -> None:
        async def ask(name: str) -> None:
            ctx.ask(**{name: FORM})

        async with asyncio.TaskGroup() as group:
            for name in ("a", "b", "c"):
                group.create_task(ask(name))

    words = await refused(
        serving(shelf), name="grouped", inputResponses={"a": 1, "b": OSLO, "c": {}}
    )
    assert words == (
        "inputResponses.a: an answer must be an object; "
        "inputResponses.c: action must be accept, decline or cancel"
    )


# The state.


async def sealed(server: Server, **more: Any) -> str:
    found = await ask(server, "rounds", {"count": 1}, **more)
    state: str = found["requestState"]
    return state


GENERIC = "Invalid or expired requestState"


@pytest.mark.parametrize(
    "changes",
    [
        {"arguments": {"count": 2}},
        {"arguments": {"count": 1, "more": 1}},
        {"arguments": {}},
        {"name": "greedy", "arguments": {"count": 1}},
        {"name": "greedy"},
        {"caller": Caller("somebody else", frozenset({"*"}))},
        {"extra": 1},
    ],
)
async def test_a_state_belongs_to_its_caller_and_its_request(changes: Json) -> None:
    server = serving(shelf_asking())
    params = {
        "name": "rounds",
        "arguments": {"count": 1},
        "inputResponses": {"q0": OSLO},
        "requestState": await sealed(server),
    }
    assert await refused(server, **{**params, **changes}) == GENERIC


async def test_a_state_belongs_to_its_method() -> None:
    shelf = shelf_asking()

    @shelf.prompt(name="greedy")
    def prompt(ctx: Context) -> str:
        return str(ctx.ask(it=FORM))

    server = serving(shelf)
    first = await ask(server, "greedy")
    words = await refused(
        server,
        "prompts/get",
        name="greedy",
        arguments={},
        inputResponses={"it": OSLO},
        requestState=first["requestState"],
    )
    assert words == GENERIC


@pytest.mark.parametrize("state", ["", "x", "v1.x.y", 5, None, [], {}, True])
async def test_what_is_no_state_is_refused(state: Any) -> None:
    words = await refused(
        serving(shelf_asking()),
        name="rounds",
        arguments={"count": 1},
        requestState=state,
    )
    assert words == GENERIC


async def test_a_tampered_state_is_refused() -> None:
    server = serving(shelf_asking())
    state = await sealed(server)
    for at in range(0, len(state), 11):
        other = "A" if state[at] != "A" else "B"
        words = await refused(
            server,
            name="rounds",
            arguments={"count": 1},
            requestState=state[:at] + other + state[at + 1 :],
        )
        assert words == GENERIC


async def test_a_state_of_other_keys_or_too_old_is_refused() -> None:
    strange = serving(shelf_asking(), signer=Signer([b"another key of some bytes"]))
    hasty = serving(shelf_asking(), limits=Limits(state_age_s=0.001))
    server = serving(shelf_asking())
    for origin in (strange, hasty):
        words = await refused(
            server,
            name="rounds",
            arguments={"count": 1},
            inputResponses={"q0": OSLO},
            requestState=await sealed(origin),
        )
        assert words == GENERIC


async def test_rounds_are_counted_in_the_state() -> None:
    server = serving(shelf_asking(), limits=Limits(max_rounds=1))
    first = await ask(server, "rounds", {"count": 2})
    for responses in ({"q0": OSLO}, {}):
        last = await ask(
            server,
            "rounds",
            {"count": 2},
            inputResponses=responses,
            requestState=first["requestState"],
        )
        assert failure_of(last) == "Gave up after 1 rounds of questions."


# What the client cannot be asked.


async def test_all_that_is_missing_is_named() -> None:
    found = await error(serving(shelf_asking()), "tools/call", {"name": "both"})
    assert found == {
        "code": MISSING_CLIENT_CAPABILITY,
        "message": "This needs the client capability elicitation.form and roots",
        "data": {"requiredCapabilities": {"elicitation": {"form": {}}, "roots": {}}},
    }


@pytest.mark.parametrize(
    ("declared", "kind", "allowed"),
    [
        ({"elicitation": {}}, "form", True),
        ({"elicitation": {}}, "url", False),
        ({"elicitation": {"url": {}}}, "form", False),
        ({"elicitation": {"url": {}}}, "url", True),
        ({"elicitation": {"form": {}, "url": {}}}, "form", True),
        ({"elicitation": True}, "form", False),
        ({"sampling": {}}, "sample", True),
        ({"roots": {}}, "sample", False),
    ],
)
async def test_each_request_says_what_its_client_can_do(
    declared: Json, kind: str, allowed: bool
) -> None:
    server = serving(shelf_asking())
    params = {"name": "one", "arguments": {"kind": kind}}
    message = await reply(server, "tools/call", params, capabilities=declared)
    assert ("result" in message) is allowed
    if not allowed:
        assert message["error"]["code"] == MISSING_CLIENT_CAPABILITY


async def test_other_methods_take_no_notice_of_answers() -> None:
    server = serving(shelf_asking())
    found = await result(
        server, "tools/list", {"inputResponses": 5, "requestState": "x"}
    )
    assert len(found["tools"]) == 4
