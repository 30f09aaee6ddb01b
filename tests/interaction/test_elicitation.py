"""A tool asks the user. Spec: 2026-07-28 client/elicitation."""

from __future__ import annotations

from typing import Any

from tests.interaction.conftest import Connect
from tests.interaction.guest import text_of
from tests.interaction.matrix import Cell

Json = dict[str, Any]


async def test_it_may_ask_twice(cell: Cell, connect: Connect) -> None:
    names, asked = iter(["Ada", "Bob"]), []

    async def answer(params: Json) -> Json:
        asked.append(params)
        return {"action": "accept", "content": {"name": next(names), "size": "s"}}

    async with connect(elicit=answer) as guest:
        assert await guest.text("ask_user") == "Ada and Bob"
    assert [params["message"] for params in asked] == [
        "Who are you?",
        "And who else?",
    ]
    has_modes = "mode" in cell.revision.fields["ElicitParams"]
    for params in asked:
        assert ("mode" in params) is has_modes
        assert params["requestedSchema"]["required"] == ["name"]


async def test_the_user_may_decline(cell: Cell, connect: Connect) -> None:
    async def answer(params: Json) -> Json:
        return {"action": "decline"}

    async with connect(elicit=answer) as guest:
        assert await guest.text("ask_user") == "decline"


async def test_an_answer_to_another_question_is_none(
    cell: Cell, connect: Connect
) -> None:
    async def answer(params: Json) -> Json:
        return {"action": "accept", "content": {"size": "huge"}}

    async with connect(elicit=answer) as guest:
        call = {"name": "ask_user", "arguments": {}}
        if cell.revision.stateful:
            result = await guest.call_tool("ask_user")
            assert result["isError"] is True
            assert "name" in text_of(result)
            return
        asked = await guest.request("tools/call", call)
        wrong = {"first": await answer({})}
        error = await guest.fails(
            "tools/call",
            {
                **call,
                "requestState": asked["requestState"],
                "inputResponses": wrong,
            },
        )
        assert "inputResponses.first" in error.message
