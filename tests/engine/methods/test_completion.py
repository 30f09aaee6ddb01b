from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.limits import Limits
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

LETTER = {"type": "ref/prompt", "name": "letter"}
ORDER = {"type": "ref/resource", "uri": "order://{year}/{pk}"}


def library() -> Shelf:
    shelf = Shelf()

    def numbers(value: str, arguments: dict[str, str]) -> list[str]:
        return [f"{arguments.get('year', '?')}-{value}"]

    def crash(value: str) -> list[str]:
        raise ValueError("a secret")

    @shelf.prompt(completions={"tone": ["kind", "firm", "unkind"], "about": crash})
    def letter(tone: str, about: str = "", plain: str = "") -> str:
        return tone

    @shelf.resource("order://{year}/{pk}", completions={"pk": numbers})
    def order(year: int, pk: int) -> str:
        return ""

    @shelf.prompt(permission="shop.view", completions={"a": ["secret"]})
    def hidden(a: str) -> str:
        return a

    return shelf


def asking(ref: Any, name: Any, value: Any, **more: Any) -> Json:
    return {"ref": ref, "argument": {"name": name, "value": value}, **more}


async def complete(*args: Any, **options: Any) -> Any:
    revision = options.pop("revision")
    server = serving(library())
    found = await result(
        server, "completion/complete", asking(*args, **options), revision=revision
    )
    assert found.keys() == {"completion"}
    return found["completion"]


@every_revision
async def test_values_are_ranked(revision: Revision) -> None:
    assert await complete(LETTER, "tone", "k", revision=revision) == {
        "values": ["kind", "unkind"],
        "total": 2,
        "hasMore": False,
    }


@every_revision
async def test_an_argument_without_suggestions_has_none(revision: Revision) -> None:
    assert await complete(LETTER, "plain", "k", revision=revision) == {
        "values": [],
        "total": 0,
        "hasMore": False,
    }


@every_revision
async def test_variables_of_a_template_know_the_others(revision: Revision) -> None:
    found = await complete(ORDER, "pk", "7", revision=revision)
    assert found["values"] == ["?-7"]
    context = {"arguments": {"year": "2020"}}
    found = await complete(ORDER, "pk", "7", context=context, revision=revision)
    assert found["values"] == ["2020-7"]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (asking({}, "tone", "k"), "ref.type must be one of ref/prompt, ref/resource"),
        (asking(None, "tone", "k"), "ref.type must be one of"),
        (asking([], "tone", "k"), "ref.type must be one of"),
        (asking({"type": ["ref/prompt"]}, "a", ""), "ref.type must be one of"),
        (asking({"type": "ref/tool", "name": "x"}, "a", ""), "ref.type must be one of"),
        (asking({"type": "ref/prompt"}, "tone", "k"), "ref needs name, a string"),
        (asking({**ORDER, "uri": 5}, "pk", "k"), "ref needs uri, a string"),
        (asking({**LETTER, "name": "lettre"}, "tone", ""), "Unknown reference: lettre"),
        (asking({**LETTER, "name": "hidden"}, "a", ""), "Unknown reference: hidden"),
        (asking({**ORDER, "uri": "order://2020/1"}, "pk", ""), "Unknown reference: or"),
        (asking(LETTER, "tune", ""), "Unknown argument: tune"),
        (asking(LETTER, "x" * 999, ""), "Unknown argument: " + "x" * 128),
        (asking(LETTER, "tone", 5), "argument needs name and value, both strings"),
        (asking(LETTER, None, ""), "argument needs name and value, both strings"),
        ({"ref": LETTER}, "completion/complete needs argument, an object"),
        ({"ref": LETTER, "argument": "tone"}, "completion/complete needs argument, an"),
        (asking(LETTER, "tone", "", context=[]), "context.arguments must be an object"),
        (
            asking(LETTER, "tone", "", context={"arguments": []}),
            "context.arguments must be an object of strings",
        ),
        (
            asking(LETTER, "tone", "", context={"arguments": {"a": 5}}),
            "context.arguments must be an object of strings",
        ),
    ],
)
@every_revision
async def test_a_malformed_request_is_the_peers_fault(
    revision: Revision, params: Json, words: str
) -> None:
    found = await error(
        serving(library()), "completion/complete", params, revision=revision
    )
    assert found["code"] == INVALID_PARAMS
    assert found["message"].startswith(words)
    assert len(found["message"]) < 200


@every_revision
async def test_a_failure_stays_inside(revision: Revision) -> None:
    params = asking(LETTER, "about", "")
    found = await error(
        serving(library()), "completion/complete", params, revision=revision
    )
    assert found["code"] == INTERNAL_ERROR
    assert found["message"].startswith("Internal error (")


@every_revision
async def test_suggestions_have_their_time_and_no_more(revision: Revision) -> None:
    shelf = Shelf()

    async def slow(value: str) -> list[str]:
        await asyncio.get_running_loop().create_future()
        return []

    @shelf.prompt(completions={"a": slow})
    def letter(a: str) -> str:
        return a

    server = serving(shelf, limits=Limits(call_timeout_s=0.001))
    params = asking(LETTER, "a", "")
    assert await error(server, "completion/complete", params, revision=revision) == {
        "code": INTERNAL_ERROR,
        "message": "completion/complete did not finish within 0.001 s",
    }
    assert await server.calls.drain(PATIENCE_S) == 0
