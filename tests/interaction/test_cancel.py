"""A client no longer wants an answer. Spec: 2026-07-28 basic/patterns/cancellation."""

from __future__ import annotations

import asyncio

import pytest

from tests.interaction.conftest import Connect
from tests.interaction.guest import Mark
from tests.interaction.matrix import Cell


async def test_the_call_ends_and_is_not_answered(
    cell: Cell, connect: Connect, mark: Mark
) -> None:
    async with connect() as guest:
        assert await guest.text("echo", text="before") == "before"
        before = len(guest.heard(lambda said: "method" not in said))
        calling = asyncio.create_task(guest.text("hold", mark=str(mark)))
        await mark.begun()
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        assert await mark.fate() == "cancelled"
        assert await guest.text("echo", text="after") == "after"
        assert len(guest.heard(lambda said: "method" not in said)) == before + 1


async def test_to_cancel_what_does_not_run_is_no_matter(
    cell: Cell, connect: Connect
) -> None:
    async with connect() as guest:
        for id in ("none", 1, 10**6):
            await guest.notify("notifications/cancelled", {"requestId": id})
        assert await guest.text("echo", text="on") == "on"
