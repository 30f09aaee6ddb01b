"""What a user can begin with. Spec: 2026-07-28 server/prompts."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_transport.protocol.errors import INVALID_PARAMS
from tests.interaction.conftest import Connect
from tests.interaction.matrix import Cell


async def test_every_prompt_is_there(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        listed = {prompt["name"]: prompt for prompt in await guest.list_prompts()}
    assert set(listed) == {"greet", "ask_first"}
    arguments = {entry["name"]: entry for entry in listed["greet"]["arguments"]}
    assert arguments["name"]["required"] is True
    assert not arguments["tone"].get("required")


async def test_a_prompt_is_filled_in(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        said = (await guest.get_prompt("greet", {"name": "Ada"}))["messages"]
    assert [message["role"] for message in said] == ["assistant", "user"]
    assert said[1]["content"]["text"] == "Ada, kind"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "greet", "arguments": {}},
        {"name": "greet", "arguments": {"name": 1}},
        {"name": "none", "arguments": {}},
        {"arguments": {}, "name": ""},
    ],
)
async def test_what_is_missing_is_an_error(
    cell: Cell, connect: Connect, wrong: dict[str, Any]
) -> None:
    async with connect() as guest:
        assert (await guest.fails("prompts/get", wrong)).code == INVALID_PARAMS
