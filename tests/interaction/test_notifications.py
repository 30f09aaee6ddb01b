"""What wants no answer gets none. Spec: JSON-RPC 2.0 section 4.1."""

from __future__ import annotations

import pytest

from tests.interaction.conftest import Connect
from tests.interaction.matrix import Cell


@pytest.mark.parametrize(
    "method",
    [
        "notifications/roots/list_changed",
        "notifications/progress",
        "notifications/nobody/knows",
        "tools/list",
        "nonsense",
    ],
)
async def test_it_is_taken_in_silence(
    cell: Cell, connect: Connect, method: str
) -> None:
    async with connect() as guest:
        assert await guest.text("echo", text="before") == "before"
        before = len(guest.heard(lambda said: True))
        await guest.notify(method, {"progressToken": 1, "progress": 1})
        assert await guest.text("echo", text="after") == "after"
        assert len(guest.heard(lambda said: True)) == before + 1
        assert guest.wire.refused == []
