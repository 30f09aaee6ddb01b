"""The client vanishes while a call runs. Spec: 2026-07-28 and 2025-11-25
basic/transports: what that means is the revision's to say.
"""

from __future__ import annotations

import asyncio

from tests.interaction.conftest import Connect
from tests.interaction.guest import Mark
from tests.interaction.matrix import Cell


async def test_a_call_goes_on_only_for_who_can_come_back(
    cell: Cell, connect: Connect, mark: Mark
) -> None:
    can_come_back = cell.revision.resumable and not cell.door.is_session
    async with connect() as guest:
        calling = asyncio.create_task(guest.text("hold", mark=str(mark)))
        await mark.begun()
        await guest.wire.cut()
        if can_come_back:
            mark.let_go()
        assert await mark.fate() == ("finished" if can_come_back else "cancelled")
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
    async with connect() as another:
        assert await another.text("echo", text="on") == "on"
