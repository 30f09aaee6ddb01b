"""A tool is called, and answers. Spec: 2026-07-28 server/tools #calling-tools."""

from __future__ import annotations

import pytest

from tests.interaction.conftest import Connect
from tests.interaction.guest import text_of
from tests.interaction.matrix import Cell


@pytest.mark.parametrize("tool", ["echo", "echo_from_thread"])
async def test_it_says_what_it_is_told(cell: Cell, connect: Connect, tool: str) -> None:
    said = 'é "\\" \n \u2028 \U0001f600 \0'
    async with connect() as guest:
        assert await guest.text(tool, text=said) == said


async def test_arguments_have_defaults_and_types(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        assert await guest.text("echo", text="ab") == "ab"
        assert await guest.text("echo", text="ab", times=3) == "ababab"
        for wrong in ({}, {"text": 1}, {"text": "ab", "tims": 3}):
            result = await guest.call_tool("echo", wrong)
            assert result["isError"] is True
            assert any(name in text_of(result) for name in ("text", "times"))
