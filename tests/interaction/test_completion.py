"""Suggestions while an argument is typed. Spec: 2026-07-28
server/utilities/completion.
"""

from __future__ import annotations

from mcp_transport.protocol.errors import INVALID_PARAMS
from tests.interaction.conftest import Connect
from tests.interaction.matrix import Cell

GREET = {"type": "ref/prompt", "name": "greet"}
PAGE = {"type": "ref/resource", "uri": "page://{chapter}/{number}"}


async def test_values_that_begin_so_are_suggested(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        found = (await guest.complete(GREET, "tone", "k"))["completion"]
        assert found == {"values": ["kind"], "total": 1, "hasMore": False}
        found = (await guest.complete(PAGE, "chapter", "chapter-"))["completion"]
        assert len(found["values"]) == 100
        assert (found["total"], found["hasMore"]) == (150, True)


async def test_they_may_depend_on_the_other_arguments(
    cell: Cell, connect: Connect
) -> None:
    async with connect() as guest:
        given = {"tone": "firm"}
        found = (await guest.complete(GREET, "name", "Ad", given))["completion"]
        assert found["values"] == ["Ad!", "firm"]


async def test_what_is_unknown_is_an_error(cell: Cell, connect: Connect) -> None:
    argument = {"name": "tone", "value": ""}
    async with connect() as guest:
        for wrong in (
            {"ref": {"type": "ref/prompt", "name": "none"}, "argument": argument},
            {"ref": GREET, "argument": {"name": "none", "value": ""}},
            {"ref": {"type": "ref/tool", "name": "echo"}, "argument": argument},
            {"ref": GREET},
        ):
            error = await guest.fails("completion/complete", wrong)
            assert error.code == INVALID_PARAMS
