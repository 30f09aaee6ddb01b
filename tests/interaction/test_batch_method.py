"""Several requests in one, as the plain dialect has it."""

from __future__ import annotations

from typing import Any

from mcp_transport.protocol.errors import INVALID_PARAMS, METHOD_NOT_FOUND
from tests.interaction.conftest import Connect
from tests.interaction.guest import text_of
from tests.interaction.matrix import Cell


async def test_the_answers_are_in_the_order_of_the_requests(
    cell: Cell, connect: Connect
) -> None:
    call = {"name": "echo", "arguments": {"text": "a"}}
    requests = [
        {"method": "tools/call", "params": call, "id": "mine"},
        {"method": "no/such"},
        {"method": "ping"},
    ]
    async with connect() as guest:
        result = await guest.request("batch", {"requests": requests})
        called, unknown, pinged = result["responses"]
        assert called["id"] == "mine"
        assert text_of(called["result"]) == "a"
        assert unknown["error"]["code"] == METHOD_NOT_FOUND
        assert pinged["result"] == {}


async def test_a_batch_holds_requests_and_no_batch(
    cell: Cell, connect: Connect
) -> None:
    mistakes: list[Any] = [[], "ping", [{"method": "batch"}], [{"params": {}}]]
    async with connect() as guest:
        for wrong in mistakes:
            error = await guest.fails("batch", {"requests": wrong})
            assert error.code == INVALID_PARAMS
