"""A client comes back for what a session was told meanwhile. Spec: 2025-11-25
basic/transports #resumability-and-redelivery.
"""

from __future__ import annotations

from tests.interaction.conftest import Connect
from tests.interaction.guest import Guest
from tests.interaction.matrix import Cell

CHANGES = ("prompts", "resources", "tools", "prompts")


def told(guest: Guest) -> list[str]:
    return [name for name, _ in guest.notifications if name.endswith("/list_changed")]


async def test_it_has_everything_once_and_in_order(
    cell: Cell, connect: Connect
) -> None:
    def is_change(message: dict[str, object]) -> bool:
        return str(message.get("method")).endswith("/list_changed")

    async with connect() as guest, connect() as another:
        await another.call_tool("change", {"kind": "tools"})
        await guest.hears(is_change)
        await guest.wire.cut()
        for kind in CHANGES:
            await another.call_tool("change", {"kind": kind})
        assert told(guest) == ["notifications/tools/list_changed"]
        await guest.wire.mend()
        await guest.hears(is_change, 1 + len(CHANGES))
        await another.call_tool("change", {"kind": "tools"})
        await guest.hears(is_change, 2 + len(CHANGES))
        assert told(guest) == [
            f"notifications/{kind}/list_changed"
            for kind in ("tools", *CHANGES, "tools")
        ]
