"""Several messages at once. Spec: 2025-03-26 basic/index #batching."""

from __future__ import annotations

from mcp_transport.protocol.errors import INVALID_REQUEST, METHOD_NOT_FOUND
from tests.interaction.conftest import Connect
from tests.interaction.guest import Mark, answer_to, error, text_of
from tests.interaction.matrix import Cell


async def test_each_request_has_its_answer(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        await guest.says(
            [
                guest.call("a", "echo", text="first"),
                {"jsonrpc": "2.0", "method": "notifications/roots/list_changed"},
                guest.message("b", "no/such"),
                "nonsense",
                guest.call("c", "echo", text="last"),
            ]
        )
        (first,) = await guest.hears(answer_to("a"))
        (unknown,) = await guest.hears(answer_to("b"))
        (last,) = await guest.hears(answer_to("c"))
        (nonsense,) = await guest.hears(error(INVALID_REQUEST))
        assert text_of(first["result"]) == "first"
        assert unknown["error"]["code"] == METHOD_NOT_FOUND
        assert text_of(last["result"]) == "last"
        assert "id" not in nonsense


async def test_they_run_side_by_side(cell: Cell, connect: Connect, mark: Mark) -> None:
    async with connect() as guest:
        await guest.says(
            [
                guest.call("held", "hold", mark=str(mark)),
                guest.call("free", "echo", text="free"),
            ]
        )
        await mark.begun()
        assert await guest.text("echo", text="on") == "on"
        assert guest.heard(answer_to("held")) == []
        mark.let_go()
        (held,) = await guest.hears(answer_to("held"))
        (free,) = await guest.hears(answer_to("free"))
        assert text_of(held["result"]) == "held"
        assert text_of(free["result"]) == "free"


async def test_an_empty_one_is_an_error(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        await guest.says([])
        (said,) = await guest.hears(error(INVALID_REQUEST))
        assert "id" not in said
