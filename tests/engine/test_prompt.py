from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import Field

from mcp_transport.engine.context import Context
from mcp_transport.engine.prompt import Prompt
from mcp_transport.protocol.content import EmbeddedResource, Image, Text
from mcp_transport.protocol.errors import INVALID_PARAMS, ProtocolError
from tests.engine.exchanges import opened, serving


def letter(
    order_id: int, tone: Annotated[str, Field(title="Tone of voice")] = "kind"
) -> str:
    """Write a letter.

    Args:
        order_id: the order that it is about.
    """
    return f"Write a {tone} letter about {order_id!r}."


async def got(prompt: Prompt, **arguments: Any) -> list[dict[str, Any]]:
    context = Context(opened(serving(), "tools/list"), {})
    result = await prompt.get(context, arguments)
    assert result.keys() == {"description", "messages"}
    messages: list[dict[str, Any]] = result["messages"]
    return messages


async def messages_of(value: Any) -> list[dict[str, Any]]:
    """Return the messages of a prompt whose function returns ``value``."""

    def function() -> Any:
        return value

    return await got(Prompt.of(function))


def test_it_is_listed_with_its_arguments() -> None:
    prompt = Prompt.of(letter, title="Letter", tags=["mail"], meta={"x": 1})
    assert prompt.to_json() == {
        "name": "letter",
        "title": "Letter",
        "description": "Write a letter.",
        "arguments": [
            {
                "name": "order_id",
                "description": "the order that it is about.",
                "required": True,
            },
            {"name": "tone", "title": "Tone of voice", "required": False},
        ],
        "_meta": {"tags": ["mail"], "x": 1},
    }


def test_a_prompt_without_arguments_lists_none() -> None:
    def plain(ctx: Context) -> str:
        return "x"

    assert Prompt.of(plain).to_json() == {"name": "plain"}


def test_its_scope_is_that_of_all_prompts_unless_given() -> None:
    assert Prompt.of(letter).scope == "prompts:get"
    assert Prompt.of(letter, scope="shop:mail").scope == "shop:mail"


async def test_arguments_are_texts_that_become_what_the_function_takes() -> None:
    (message,) = await got(Prompt.of(letter), order_id="12")
    assert message == {
        "role": "user",
        "content": {"type": "text", "text": "Write a kind letter about 12."},
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "order_id: missing"),
        ({"order_id": "x"}, "order_id: should be a valid integer"),
        ({"order_id": "1", "tonne": "x"}, 'tonne: unknown argument; did you mean "to'),
    ],
)
async def test_arguments_that_do_not_fit_are_the_peers_fault(
    arguments: dict[str, str], words: str
) -> None:
    with pytest.raises(ProtocolError) as caught:
        await got(Prompt.of(letter), **arguments)
    assert caught.value.code == INVALID_PARAMS
    assert words in caught.value.message


async def test_one_value_is_one_message_of_the_user() -> None:
    assert await messages_of("hello") == [
        {"role": "user", "content": {"type": "text", "text": "hello"}}
    ]
    assert await messages_of(Text("hello", annotations={"priority": 1})) == [
        {
            "role": "user",
            "content": {
                "type": "text",
                "text": "hello",
                "annotations": {"priority": 1},
            },
        }
    ]


async def test_a_list_is_a_conversation() -> None:
    messages = await messages_of(
        [
            "one",
            {"role": "assistant", "content": "two"},
            {"role": "user", "content": Image(b"x", "image/png")},
            EmbeddedResource("a:b", text="t"),
        ]
    )
    assert [message["role"] for message in messages] == [
        "user",
        "assistant",
        "user",
        "user",
    ]
    kinds = [message["content"]["type"] for message in messages]
    assert kinds == ["text", "text", "image", "resource"]


async def test_several_blocks_of_one_role_are_several_messages() -> None:
    messages = await messages_of(
        [{"role": "assistant", "content": [Text("a"), Text("b")]}]
    )
    assert messages == [
        {"role": "assistant", "content": {"type": "text", "text": "a"}},
        {"role": "assistant", "content": {"type": "text", "text": "b"}},
    ]


async def test_nothing_is_no_message() -> None:
    assert await messages_of(None) == []
    assert await messages_of([]) == []


async def test_a_role_that_there_is_not_is_the_developers_fault() -> None:
    with pytest.raises(ValueError, match="one of user, assistant: 'system'"):
        await messages_of({"role": "system", "content": "x"})


async def test_it_may_be_async_and_take_a_context() -> None:
    async def prompt(ctx: Context, about: str) -> str:
        return f"{ctx.caller.subject}: {about}"

    (message,) = await got(Prompt.of(prompt), about="x")
    assert message["content"]["text"] == "anonymous: x"


def test_what_cannot_be_a_prompt_is_the_developers_fault() -> None:
    with pytest.raises(ValueError, match="is not a valid name"):
        Prompt.of(letter, name="two words")
    with pytest.raises(ValueError, match="completions for no argument: ton"):
        Prompt.of(letter, completions={"ton": []})
    with pytest.raises(TypeError, match="colour"):
        Prompt.of(letter, colour="red")
