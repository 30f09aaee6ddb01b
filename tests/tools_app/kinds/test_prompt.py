from __future__ import annotations

from typing import Any

import pytest

from mcp_transport import connect
from mcp_transport.protocol.errors import ProtocolError
from tests.tools_app.kinds.making import caller, complaints, made, served
from tools_app.kinds.prompt import MAX_PROMPT_CHARS, MAX_TEMPLATE_CHARS

Json = dict[str, Any]

REVIEW: Json = {
    "messages": [
        {
            "role": "user",
            "text": "Review {{ page }}{% if tone %} in a {{ tone }} tone{% endif %}.",
        },
        {"role": "assistant", "text": "{% if tone %}Gladly.{% endif %}"},
    ],
    "arguments": [
        {"name": "page", "description": "Which page.", "required": True},
        {"name": "tone", "values": ["friendly", "formal", "for engineers"]},
    ],
}


def user(text: str) -> Json:
    return {"role": "user", "content": {"type": "text", "text": text}}


def with_text(text: str, *names: str) -> Json:
    return {
        "messages": [{"role": "user", "text": text}],
        "arguments": [{"name": name} for name in names],
    }


async def test_a_client_gets_the_messages_with_its_arguments() -> None:
    entry = made("prompt", "review", REVIEW, description="Review a page.")
    async with connect(served(entry)) as client:
        (listed,) = await client.list_prompts()
        both = await client.get_prompt("review", {"page": "Tools", "tone": "formal"})
        one = await client.get_prompt("review", {"page": "{{ tone }}"})
    assert listed == {
        "name": "review",
        "description": "Review a page.",
        "arguments": [
            {"name": "page", "description": "Which page.", "required": True},
            {"name": "tone", "required": False},
        ],
    }
    assert both["messages"] == [
        user("Review Tools in a formal tone."),
        {"role": "assistant", "content": {"type": "text", "text": "Gladly."}},
    ]
    assert one["messages"] == [user("Review {{ tone }}.")]


@pytest.mark.parametrize("arguments", [{}, {"tone": "x"}, {"page": "x", "pages": "y"}])
async def test_arguments_that_do_not_fit_are_the_clients_fault(arguments: Json) -> None:
    async with connect(served(made("prompt", "review", REVIEW))) as client:
        with pytest.raises(ProtocolError) as caught:
            await client.get_prompt("review", arguments)
    assert caught.value.code == -32602
    assert "page" in str(caught.value)


async def test_values_are_suggested() -> None:
    async with connect(served(made("prompt", "review", REVIEW))) as client:
        ref = {"type": "ref/prompt", "name": "review"}
        found = await client.complete(ref, "tone", "f")
        none = await client.complete(ref, "page", "")
    assert found["completion"]["values"] == ["friendly", "formal", "for engineers"]
    assert none["completion"]["values"] == []


async def test_it_needs_the_scope_of_prompts() -> None:
    entry = made("prompt", "review", REVIEW)
    async with connect(served(entry), caller=caller("tools:call")) as client:
        assert await client.list_prompts() == []


@pytest.mark.parametrize(
    ("spec", "field", "said"),
    [
        (with_text("Hi {{ name }}"), "arguments", "uses name, which is not declared"),
        (with_text("Hi", "name"), "arguments", "No message uses the argument name"),
        (with_text("{{ a }}", "a", "a"), "arguments", "declared twice"),
        (with_text("{{ a.b }}", "a"), "messages", "row 1, Text: line 1"),
        (with_text("{% load x %}"), "messages", "is unknown"),
        (with_text("a\u202eb"), "messages", "cannot be seen"),
        (with_text("x" * (MAX_TEMPLATE_CHARS + 1)), "messages", "at most"),
        (with_text("{{ a }}", "a b"), "arguments", "Begin with a letter"),
        (with_text("{{ a }}", "1a"), "arguments", "Begin with a letter"),
        ({**REVIEW, "messages": []}, "messages", "required"),
        ({**REVIEW, "messages": "x"}, "messages", "list of objects"),
        ({**REVIEW, "messages": [{"role": "system", "text": "x"}]}, "messages", "Role"),
        (
            {**REVIEW, "messages": [{"role": "user", "text": "x"}] * 21},
            "messages",
            "20",
        ),
        ({**REVIEW, "arguments": [{"name": "a", "x": 1}]}, "arguments", "unknown: x"),
        (
            {**REVIEW, "arguments": [{"name": "a", "values": ["x" * 201]}]},
            "arguments",
            "row 1, Suggested values",
        ),
        (
            {**REVIEW, "arguments": [{"name": "a", "description": "a\u200bb"}]},
            "arguments",
            "row 1, Description",
        ),
    ],
)
def test_what_is_wrong_is_said_at_entry(spec: Json, field: str, said: str) -> None:
    assert any(said in complaint for complaint in complaints("prompt", spec)[field])


async def test_a_long_value_used_often_does_not_fill_the_memory() -> None:
    spec = with_text("{{ a }}" * 2_000, "a")
    async with connect(served(made("prompt", "bomb", spec))) as client:
        fits = await client.get_prompt("bomb", {"a": "x" * (MAX_PROMPT_CHARS // 2_000)})
        with pytest.raises(ProtocolError) as caught:
            await client.get_prompt("bomb", {"a": "x" * 10_000})
    assert len(fits["messages"][0]["content"]["text"]) <= MAX_PROMPT_CHARS
    assert caught.value.code == -32602


async def test_a_prompt_that_says_nothing_is_refused() -> None:
    spec = with_text("{% if a %}x{% endif %}", "a")
    async with connect(served(made("prompt", "maybe", spec))) as client:
        assert (await client.get_prompt("maybe", {"a": "1"}))["messages"] == [user("x")]
        with pytest.raises(ProtocolError, match="empty"):
            await client.get_prompt("maybe", {})
