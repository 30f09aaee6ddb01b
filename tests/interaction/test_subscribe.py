"""A session is told that a resource has changed. Spec: 2025-11-25 server/resources
#subscriptions.
"""

from __future__ import annotations

from tests.interaction.conftest import Connect
from tests.interaction.guest import Guest, method
from tests.interaction.matrix import Cell

UPDATED = "notifications/resources/updated"


async def updated(guest: Guest, *uris: str) -> list[str]:
    """Change resources; return which of them the client heard of."""
    before = len(guest.told(UPDATED))
    barrier = method("notifications/tools/list_changed")
    times = len(guest.heard(barrier)) + 1
    for uri in uris:
        await guest.call_tool("update", {"uri": uri})
    # What comes behind a change is heard behind it.
    await guest.call_tool("change", {"kind": "tools"})
    await guest.hears(barrier, times)
    return [said["uri"] for said in guest.told(UPDATED)[before:]]


async def test_it_hears_of_what_it_subscribed_to(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        assert await updated(guest, "doc://one") == []
        await guest.subscribe("doc://one")
        await guest.subscribe("page://a/1")
        changed = ["doc://one", "doc://picture", "page://a/1", "page://a/2"]
        assert await updated(guest, *changed) == ["doc://one", "page://a/1"]
        await guest.unsubscribe("doc://one")
        assert await updated(guest, *changed) == ["page://a/1"]


async def test_there_must_be_something_to_subscribe_to(
    cell: Cell, connect: Connect
) -> None:
    async with connect() as guest:
        error = await guest.fails("resources/subscribe", {"uri": "doc://none"})
        assert error.code == cell.revision.resource_not_found
