"""A tool asks the client's model. Spec: 2026-07-28 client/sampling."""

from __future__ import annotations

from typing import Any

from tests.interaction.conftest import Connect
from tests.interaction.matrix import Cell

Json = dict[str, Any]


async def test_the_model_answers(cell: Cell, connect: Connect) -> None:
    asked: list[Json] = []

    async def answer(params: Json) -> Json:
        asked.append(params)
        said = {"type": "text", "text": "A cat."}
        return {"role": "assistant", "model": "m", "content": said}

    async with connect(sample=answer) as guest:
        assert await guest.text("ask_model") == "A cat."
    (params,) = asked
    (message,) = params["messages"]
    assert message["content"] == {"type": "text", "text": "What is it?"}
    assert params["maxTokens"] == 10
