from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pytest
from pydantic import Field

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.errors import ToolError
from mcp_transport.engine.limits import Limits
from mcp_transport.protocol.content import Audio
from mcp_transport.protocol.errors import INTERNAL_ERROR, INVALID_PARAMS
from mcp_transport.protocol.revision import Revision
from tests.engine.exchanges import (
    PATIENCE_S,
    Json,
    error,
    every_revision,
    result,
    serving,
)


def library() -> Shelf:
    shelf = Shelf()

    @shelf.prompt(title="Letter", icons=[{"src": "https://x/i.png"}], meta={"m": 1})
    def letter(
        order: int, tone: Annotated[str, Field(title="Tone of voice")] = "kind"
    ) -> list[Any]:
        """Write a letter."""
        return [f"A {tone} letter about {order}.", Audio(b"a", "audio/wav")]

    @shelf.prompt
    def crash() -> str:
        raise ValueError("a secret")

    @shelf.prompt
    def closed() -> str:
        raise ToolError("The shop is closed.")

    @shelf.prompt(permission="shop.view")
    def hidden() -> str:
        return "seen"

    return shelf


async def get(name: str, arguments: Json | None = None, **options: Any) -> Json:
    params = {"name": name, "arguments": arguments or {}}
    return await result(serving(library()), "prompts/get", params, **options)


@every_revision
async def test_a_list_says_what_the_revision_knows(revision: Revision) -> None:
    found = await result(serving(library()), "prompts/list", revision=revision)
    prompts = {prompt["name"]: prompt for prompt in found["prompts"]}
    assert list(prompts) == ["closed", "crash", "letter"]
    tone: Json = {"name": "tone", "required": False}
    if "title" in revision.fields["PromptArgument"]:
        tone["title"] = "Tone of voice"
    complete = {
        "name": "letter",
        "title": "Letter",
        "description": "Write a letter.",
        "arguments": [{"name": "order", "required": True}, tone],
        "icons": [{"src": "https://x/i.png"}],
        "_meta": {"m": 1},
    }
    known = revision.fields["Prompt"]
    assert prompts["letter"] == {k: v for k, v in complete.items() if k in known}


@every_revision
async def test_messages_are_in_kinds_that_the_revision_has(revision: Revision) -> None:
    found = await get("letter", {"order": "12"}, revision=revision)
    assert found["description"] == "Write a letter."
    text, audio = found["messages"]
    assert text == {
        "role": "user",
        "content": {"type": "text", "text": "A kind letter about 12."},
    }
    assert audio["content"]["type"] == (
        "audio" if "audio" in revision.fields else "resource"
    )
    assert found.keys() == {"description", "messages"}


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "prompts/get needs name, a string"),
        ({"name": 5}, "prompts/get needs name, a string"),
        ({"name": "lettre"}, "Unknown prompt: lettre"),
        ({"name": "hidden"}, "Unknown prompt: hidden"),
        ({"name": "x" * 1000}, "Unknown prompt: " + "x" * 128),
        ({"name": "letter", "arguments": []}, "arguments must be an object of strings"),
        (
            {"name": "letter", "arguments": {"order": 12}},
            "arguments must be an object of strings",
        ),
    ],
)
@every_revision
async def test_a_malformed_request_is_the_peers_fault(
    revision: Revision, params: Json, words: str
) -> None:
    found = await error(serving(library()), "prompts/get", params, revision=revision)
    assert found == {"code": INVALID_PARAMS, "message": words}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (None, "order: missing"),
        ({"order": "x"}, "order: should be a valid integer"),
        ({"order": "1", "tune": "x"}, 'tune: unknown argument; did you mean "tone"?'),
    ],
)
@every_revision
async def test_arguments_that_do_not_fit_are_the_peers_fault(
    revision: Revision, arguments: Json | None, words: str
) -> None:
    params = (
        {"name": "letter"}
        if arguments is None
        else {"name": "letter"} | {"arguments": arguments}
    )
    found = await error(serving(library()), "prompts/get", params, revision=revision)
    assert found["code"] == INVALID_PARAMS
    assert words in found["message"]


async def test_who_has_the_permission_sees_it() -> None:
    reader = Caller("x", frozenset({"prompts"}), frozenset({"shop.view"}))
    found = await get("hidden", caller=reader)
    assert found["messages"][0]["content"]["text"] == "seen"


@every_revision
async def test_a_failure_stays_inside(revision: Revision) -> None:
    server = serving(library())
    found = await error(server, "prompts/get", {"name": "crash"}, revision=revision)
    assert found["code"] == INTERNAL_ERROR
    assert found["message"].startswith("Internal error (")
    found = await error(server, "prompts/get", {"name": "closed"}, revision=revision)
    assert found == {"code": INTERNAL_ERROR, "message": "The shop is closed."}


@every_revision
async def test_a_prompt_has_its_time_and_no_more(revision: Revision) -> None:
    shelf, ended = Shelf(), []

    @shelf.prompt
    async def slow() -> str:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(1)
        return "never"

    server = serving(shelf, limits=Limits(call_timeout_s=0.001))
    params = {"name": "slow"}
    assert await error(server, "prompts/get", params, revision=revision) == {
        "code": INTERNAL_ERROR,
        "message": "prompts/get did not finish within 0.001 s",
    }
    assert await server.calls.drain(PATIENCE_S) == 0
    assert ended == [1]
