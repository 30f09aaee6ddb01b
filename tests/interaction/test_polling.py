"""A server lets a connection go, and the client comes back. Spec: 2025-11-25
basic/transports #sending-messages-to-the-server.
"""

from __future__ import annotations

import asyncio

from tests.interaction.conftest import Connect
from tests.interaction.guest import Mark, text_of
from tests.interaction.matrix import Cell
from tests.interaction.wires.streamable import StreamableWire


async def test_the_answer_is_there_when_it_does(
    cell: Cell, connect: Connect, mark: Mark
) -> None:
    async with connect() as guest:
        assert isinstance(guest.wire, StreamableWire)
        polling = asyncio.create_task(
            guest.call_tool("poll", {"mark": str(mark)}, progress_token="p")
        )
        await mark.begun()
        await guest.wire.returned.wait()
        mark.let_go()
        assert text_of(await polling) == "polled"
        assert guest.progress() == [1, 2]
