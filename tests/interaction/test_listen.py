"""A request that is answered by what changes. Spec: 2026-07-28
basic/patterns/subscriptions.
"""

from __future__ import annotations

from mcp_transport.protocol.errors import INVALID_PARAMS
from mcp_transport.protocol.peer import SUBSCRIPTION_KEY
from tests.interaction.conftest import Connect
from tests.interaction.matrix import Cell

ACKNOWLEDGED = "notifications/subscriptions/acknowledged"


async def test_it_hears_what_it_asked_for(cell: Cell, connect: Connect) -> None:
    wanted = {"toolsListChanged": True, "resourceSubscriptions": ["doc://one"]}
    async with connect() as guest, guest.listen(**wanted) as told:
        method, params = await told.get() or ("", {})
        assert method == ACKNOWLEDGED
        assert params["notifications"] == wanted
        stream = params["_meta"][SUBSCRIPTION_KEY]
        for tool, arguments in [
            ("change", {"kind": "prompts"}),
            ("update", {"uri": "doc://picture"}),
            ("update", {"uri": "doc://one"}),
            ("change", {"kind": "tools"}),
        ]:
            await guest.call_tool(tool, arguments)
        meta = {"_meta": {SUBSCRIPTION_KEY: stream}}
        # Each may come from another process: neither has to be first.
        heard = dict([await told.get() or ("", {}), await told.get() or ("", {})])
        assert heard == {
            "notifications/resources/updated": {"uri": "doc://one", **meta},
            "notifications/tools/list_changed": meta,
        }
        assert told.empty()


async def test_two_streams_are_told_apart(cell: Cell, connect: Connect) -> None:
    async with (
        connect() as guest,
        guest.listen(toolsListChanged=True) as one,
        guest.listen(promptsListChanged=True) as other,
    ):
        for told in (one, other):
            acknowledged = await told.get()
            assert acknowledged is not None
            assert acknowledged[0] == ACKNOWLEDGED
        await guest.call_tool("change", {"kind": "prompts"})
        await guest.call_tool("change", {"kind": "tools"})
        heard = [await one.get(), await other.get()]
        assert [said[0] for said in heard if said] == [
            "notifications/tools/list_changed",
            "notifications/prompts/list_changed",
        ]


async def test_a_filter_that_is_none_is_an_error(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        for wrong in ({}, {"notifications": {"toolsListChanged": "yes"}}):
            error = await guest.fails("subscriptions/listen", wrong)
            assert error.code == INVALID_PARAMS
