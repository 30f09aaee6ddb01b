"""What is logged to a client. Spec: 2026-07-28 server/utilities/logging."""

from __future__ import annotations

from mcp_transport.protocol.errors import INVALID_PARAMS
from tests.interaction.conftest import Connect
from tests.interaction.guest import Guest
from tests.interaction.matrix import Cell

EVERY = ["debug", "info", "error"]


async def logged(guest: Guest) -> list[str]:
    """Return the levels of what a call logs."""
    before = len(guest.told("notifications/message"))
    assert await guest.text("log") == "logged"
    said = guest.told("notifications/message")[before:]
    assert all(one["logger"] == "log" for one in said)
    assert all(one["data"] == {"said": one["level"]} for one in said)
    return [one["level"] for one in said]


async def test_a_level_and_those_above_it_are_heard(
    cell: Cell, connect: Connect
) -> None:
    async with connect() as guest:
        default = cell.revision.default_log_level
        assert await logged(guest) == (EVERY[EVERY.index(default) :] if default else [])
        for level in ("error", "debug", "info"):
            await guest.set_log_level(level)
            assert await logged(guest) == EVERY[EVERY.index(level) :]
        await guest.set_log_level("emergency")
        assert await logged(guest) == []


async def test_a_level_that_does_not_exist_is_an_error(
    cell: Cell, connect: Connect
) -> None:
    async with connect() as guest:
        if cell.revision.stateful:
            error = await guest.fails("logging/setLevel", {"level": "loud"})
        else:
            guest.log_level = "loud"
            error = await guest.fails("tools/list")
        assert error.code == INVALID_PARAMS
