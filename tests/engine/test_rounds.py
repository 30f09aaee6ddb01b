"""What asks behaves the same wherever a client can be asked."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.context import Context
from mcp_transport.engine.limits import Limits
from mcp_transport.protocol.content import json_text
from mcp_transport.protocol.errors import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    MISSING_CLIENT_CAPABILITY,
    ProtocolError,
)
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import REVISIONS
from mcp_transport.transports.client import Client
from mcp_transport.transports.inprocess import connect
from tests.engine.asking import (
    ANSWERS,
    FORM,
    OSLO,
    QUESTIONS,
    ROOTS,
    fill_in,
    say_hello,
    shelf_asking,
)
from tests.engine.exchanges import (
    PATIENCE_S,
    Json,
    every_revision,
    failure_of,
    over,
    serving,
    text_of,
)

FORMS = [r for r in REVISIONS.values() if ("elicitation", "form") in r.asks]
every_revision_with_forms = over(*FORMS)
ROOTED = [{"uri": "file:///a"}]


def asked(revision: Revision, shelf: Shelf | None = None, **options: Any) -> Any:
    """Connect a client that can be asked everything."""
    limits = options.pop("limits", None)
    given = {"elicit": fill_in, "sample": say_hello, "roots": ROOTED, **options}
    server = serving(shelf or shelf_asking(), limits=limits)
    return connect(server, revision=revision.name, **given)


def heard(client: Client, method: str) -> list[Json]:
    return [params for named, params in client.notifications if named == method]


@pytest.mark.parametrize("kind", QUESTIONS)
@every_revision
async def test_a_tool_that_asks_is_written_once(revision: Revision, kind: str) -> None:
    capability = QUESTIONS[kind].capability
    async with asked(revision, log_level="info") as client:
        result = await client.call_tool("one", {"kind": kind}, progress_token="t")
        runs = 1 if revision.stateful else 2
        assert [p["progress"] for p in heard(client, "notifications/progress")] == (
            [1] * runs
        )
        assert [p["data"] for p in heard(client, "notifications/message")] == (
            ["asking"] * runs
        )
    if capability in revision.asks:
        assert "isError" not in result
        assert text_of(result) == json_text(ANSWERS[kind])
    else:
        assert failure_of(result) == (
            "This has to ask the client, which did not declare the capability "
            f"{'.'.join(capability)}."
        )


@pytest.mark.parametrize("kind", QUESTIONS)
@every_revision
async def test_a_client_that_declared_nothing_is_not_asked(
    revision: Revision, kind: str
) -> None:
    path = QUESTIONS[kind].capability
    async with connect(serving(shelf_asking()), revision=revision.name) as client:
        if revision.stateful:
            result = await client.call_tool("one", {"kind": kind})
            assert f"did not declare the capability {'.'.join(path)}." in (
                failure_of(result)
            )
            return
        with pytest.raises(ProtocolError) as caught:
            await client.call_tool("one", {"kind": kind})
    required: Json = {}
    for name in reversed(path):
        required = {name: required}
    assert caught.value.code == MISSING_CLIENT_CAPABILITY
    assert caught.value.data == {"requiredCapabilities": required}


@every_revision_with_forms
async def test_several_questions_are_asked_at_once(revision: Revision) -> None:
    async with asked(revision) as client:
        result = await client.call_tool("both")
    assert text_of(result) == json_text({"where": OSLO, "roots": ANSWERS["roots"]})


@every_revision_with_forms
async def test_one_question_may_follow_another(revision: Revision) -> None:
    async with asked(revision, log_level="info") as client:
        result = await client.call_tool("rounds", {"count": 3}, progress_token=1)
        logged = [p["data"] for p in heard(client, "notifications/message")]
        progress = [p["progress"] for p in heard(client, "notifications/progress")]
    assert text_of(result) == "Oslo Oslo Oslo"
    said = ["round 1", "round 2", "round 3"]
    if revision.stateful:
        assert (logged, progress) == (said, [1, 2, 3])
    else:
        # Each retry is a request of its own.
        assert logged == [*said[:1], *said[:2], *said, *said]
        assert progress == [1, 1, 2, 1, 2, 3, 1, 2, 3]


@every_revision_with_forms
async def test_catching_every_exception_does_not_catch_a_question(
    revision: Revision,
) -> None:
    async with asked(revision) as client:
        assert text_of(await client.call_tool("greedy")) == "accept"


@pytest.mark.parametrize("action", ["decline", "cancel"])
@every_revision_with_forms
async def test_a_refusal_is_an_answer(revision: Revision, action: str) -> None:
    async def refuse(params: Json) -> Json:
        return {"action": action}

    async with asked(revision, elicit=refuse) as client:
        assert text_of(await client.call_tool("greedy")) == action


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"action": "perhaps"}, "action must be accept, decline or cancel"),
        ({"action": "accept"}, "an accepted form needs content, an object"),
        ({"action": "accept", "content": {}}, "city: missing"),
        ({"action": "accept", "content": {"city": 5}}, "city: should be string"),
    ],
)
@every_revision_with_forms
async def test_an_answer_that_is_none_is_told(
    revision: Revision, answer: Json, why: str
) -> None:
    async def misread(params: Json) -> Json:
        return answer

    async with asked(revision, elicit=misread) as client:
        if revision.stateful:
            words = failure_of(await client.call_tool("one"))
            assert words.startswith("The client's answer cannot be used: ")
        else:
            with pytest.raises(ProtocolError) as caught:
                await client.call_tool("one")
            assert caught.value.code == INVALID_PARAMS
            words = caught.value.message
            assert words.startswith("inputResponses.it: ")
    assert why in words


@every_revision_with_forms
async def test_as_many_rounds_as_are_allowed_are_had(revision: Revision) -> None:
    async with asked(revision, limits=Limits(max_rounds=2)) as client:
        enough = await client.call_tool("rounds", {"count": 2})
        assert text_of(enough) == "Oslo Oslo"
        more = await client.call_tool("rounds", {"count": 3})
        assert failure_of(more) == "Gave up after 2 rounds of questions."


@every_revision_with_forms
async def test_the_most_that_our_client_answers_is_what_a_server_allows(
    revision: Revision,
) -> None:
    async with asked(revision) as client:
        result = await client.call_tool("rounds", {"count": Limits().max_rounds})
    assert text_of(result) == " ".join(["Oslo"] * 10)


# Task groups.


@every_revision_with_forms
async def test_a_question_may_come_from_within_a_task_group(
    revision: Revision,
) -> None:
    shelf = Shelf()

    @shelf.tool
    async def grouped(ctx: Context) -> str:
        async def inner(name: str) -> str:
            return str(ctx.ask(**{name: FORM})[name]["content"]["city"])

        async with asyncio.TaskGroup() as group:
            async with asyncio.TaskGroup() as within:
                one = within.create_task(inner("a"))
                other = within.create_task(inner("b"))
            third = group.create_task(inner("c"))
        return f"{one.result()} {other.result()} {third.result()}"

    counted = []

    async def count(params: Json) -> Json:
        counted.append(params["message"])
        return OSLO

    async with asked(revision, shelf, elicit=count) as client:
        assert text_of(await client.call_tool("grouped")) == "Oslo Oslo Oslo"
    assert len(counted) == 3


@every_revision_with_forms
async def test_a_failure_beside_a_question_is_a_failure(revision: Revision) -> None:
    shelf = Shelf()

    @shelf.tool
    async def mixed(ctx: Context) -> str:
        async def ask() -> None:
            ctx.ask(it=FORM)

        async def fail() -> None:
            raise ValueError("a secret")

        async with asyncio.TaskGroup() as group:
            group.create_task(ask())
            group.create_task(fail())
        return "never"

    async def never(params: Json) -> Json:
        pytest.fail("asked in vain")

    connected = asked(revision, shelf, elicit=never)
    async with connected as client, asyncio.timeout(PATIENCE_S):
        result = await client.call_tool("mixed")
    assert failure_of(result).startswith("The tool failed (reference ")


# Prompts, resources and completions.


def shelf_of_others() -> Shelf:
    shelf = Shelf()

    @shelf.prompt
    async def letter(ctx: Context) -> str:
        return f"Write to {ctx.ask(where=FORM)['where']['content']['city']}."

    @shelf.resource("where://{thing}")
    def where(ctx: Context, thing: str) -> str:
        city = ctx.ask(where=FORM)["where"]["content"]["city"]
        return f"{thing} is in {city}."

    return shelf


@every_revision_with_forms
async def test_prompts_and_resources_may_ask_as_well(revision: Revision) -> None:
    async with asked(revision, shelf_of_others()) as client:
        prompt = await client.get_prompt("letter")
        read = await client.read_resource("where://tea")
    assert prompt["messages"][0]["content"]["text"] == "Write to Oslo."
    assert read["contents"][0]["text"] == "tea is in Oslo."


@every_revision
async def test_prompts_and_resources_say_that_they_have_to_ask(
    revision: Revision,
) -> None:
    server = serving(shelf_of_others())
    async with connect(server, revision=revision.name) as client:
        for asking in (client.get_prompt("letter"), client.read_resource("where://a")):
            with pytest.raises(ProtocolError) as caught:
                await asking
            if revision.stateful:
                assert caught.value.code == INTERNAL_ERROR
                assert "has to ask the client" in caught.value.message
            else:
                assert caught.value.code == MISSING_CLIENT_CAPABILITY


@every_revision
async def test_a_suggestion_cannot_ask(revision: Revision) -> None:
    """Spec: 2026-07-28 basic/patterns/mrtr: only three methods may."""
    shelf = Shelf()

    def ask(value: str, ctx: Context) -> list[str]:
        ctx.ask(it=ROOTS)
        return []

    @shelf.prompt(completions={"about": ask})
    def plain(about: str) -> str:
        return about

    async with asked(revision, shelf) as client, asyncio.timeout(PATIENCE_S):
        with pytest.raises(ProtocolError) as caught:
            await client.complete({"type": "ref/prompt", "name": "plain"}, "about", "")
    assert caught.value.code == INTERNAL_ERROR
    assert caught.value.message.startswith("Internal error (")
