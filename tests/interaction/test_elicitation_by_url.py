"""A tool sends the user to a page. Spec: 2026-07-28 client/elicitation #url-mode."""

from __future__ import annotations

from typing import Any

from tests.interaction.conftest import Connect
from tests.interaction.matrix import Cell

Json = dict[str, Any]


async def test_the_client_is_given_the_page(cell: Cell, connect: Connect) -> None:
    asked: list[Json] = []

    async def answer(params: Json) -> Json:
        asked.append(params)
        return {"action": "accept"}

    async with connect(elicit=answer) as guest:
        assert await guest.text("ask_page") == "accept"
    (params,) = asked
    assert params["mode"] == "url"
    assert params["url"] == "https://example.com/sign-in"
    has_id = "elicitationId" in cell.revision.fields["ElicitParams"]
    assert ("elicitationId" in params) is has_id
