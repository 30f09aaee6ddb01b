"""A tool asks the client's model, which may use tools. Spec: 2026-07-28
client/sampling #tools.
"""

from __future__ import annotations

from typing import Any

from tests.interaction.conftest import Connect
from tests.interaction.matrix import Cell

Json = dict[str, Any]


async def test_the_model_is_given_tools(cell: Cell, connect: Connect) -> None:
    asked: list[Json] = []

    async def answer(params: Json) -> Json:
        asked.append(params)
        said = {"type": "text", "text": "A cat, I saw it."}
        return {"role": "assistant", "model": "m", "content": said}

    declared: Json = {"sampling": {"tools": {}}}
    async with connect(sample=answer, capabilities=declared) as guest:
        assert await guest.text("ask_model", with_tools=True) == "A cat, I saw it."
    (params,) = asked
    assert [tool["name"] for tool in params["tools"]] == ["look"]
