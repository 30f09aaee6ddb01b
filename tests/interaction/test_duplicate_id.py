"""Two requests under one id. Spec: 2025-11-25 basic/index #requests."""

from __future__ import annotations

from mcp_transport.protocol.errors import INVALID_REQUEST
from tests.interaction.conftest import Connect
from tests.interaction.guest import Mark, answer_to, text_of
from tests.interaction.matrix import Cell


async def test_the_second_is_refused_and_the_first_answered(
    cell: Cell, connect: Connect, mark: Mark
) -> None:
    async with connect() as guest:
        await guest.says(guest.call("same", "hold", mark=str(mark)))
        await mark.begun()
        await guest.says(guest.call("same", "echo", text="again"))
        (refused,) = await guest.hears(answer_to("same"))
        assert refused["error"]["code"] == INVALID_REQUEST
        mark.let_go()
        _, answered = await guest.hears(answer_to("same"), 2)
        assert text_of(answered["result"]) == "held"
