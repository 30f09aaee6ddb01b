"""Two clients of one server share nothing but the server, not even an id's meaning."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.interaction.conftest import Connect
from tests.interaction.guest import Mark
from tests.interaction.matrix import Cell
from tests.wire.tokens import ALICE, BOB


@pytest.mark.parametrize("token", [ALICE, BOB])
async def test_a_cancel_ends_the_call_of_its_own_client(
    cell: Cell, connect: Connect, new_mark: Callable[[], Mark], token: str
) -> None:
    mine, theirs = new_mark(), new_mark()
    async with connect() as one, connect(token) as other:
        # Both clients count their requests, and so use the same ids.
        ending = asyncio.create_task(one.text("hold", mark=str(mine)))
        lasting = asyncio.create_task(other.text("hold", mark=str(theirs)))
        await mine.begun()
        await theirs.begun()
        ending.cancel()
        assert await mine.fate() == "cancelled"
        assert not lasting.done()
        theirs.let_go()
        assert await lasting == "held"


@pytest.mark.parametrize("token", [ALICE, BOB])
async def test_a_log_level_is_its_own_clients(
    cell: Cell, connect: Connect, token: str
) -> None:
    async with connect() as one, connect(token) as other:
        await one.set_log_level("emergency")
        await other.set_log_level("error")
        for guest in (one, other):
            assert await guest.text("log") == "logged"
        assert one.told("notifications/message") == []
        (said,) = other.told("notifications/message")
        assert said["level"] == "error"
