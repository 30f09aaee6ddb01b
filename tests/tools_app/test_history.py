"""What a tool has changed is in the admin's history, and the ledger leads there."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from asgiref.sync import sync_to_async
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import Group, User

from mcp_transport.callers import acting_as
from mcp_transport.engine.caller import Caller
from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.context import Context
from mcp_transport.transports.inprocess import connect
from tests.engine.exchanges import serving
from tools_app.history import (
    alog_addition,
    alog_change,
    alog_deletion,
    log_addition,
    log_change,
    log_deletion,
)
from tools_app.ledger import Ledger
from tools_app.models import Call

shelf = Shelf()


@shelf.tool
def rename(ctx: Context, pk: int, name: str) -> None:
    group = Group.objects.get(pk=pk)
    group.name = name
    group.save()
    log_change(ctx, group, f"Renamed to {name}.")


@shelf.tool
def replace_group(ctx: Context, pk: int) -> None:
    group = Group.objects.get(pk=pk)
    log_deletion(ctx, group)
    group.delete()
    log_addition(ctx, Group.objects.create(name="new"))


@shelf.tool
async def arename(ctx: Context, pk: int, name: str) -> None:
    group = await Group.objects.aget(pk=pk)
    await alog_change(ctx, group, f"Renamed to {name}.")


@shelf.tool
async def areplace(ctx: Context, pk: int) -> None:
    group = await Group.objects.aget(pk=pk)
    await alog_deletion(ctx, group)
    await group.adelete()
    await alog_addition(ctx, await Group.objects.acreate(name="new"))


@shelf.tool
def unsaved(ctx: Context) -> None:
    log_change(ctx, Group(name="nobody"), "Renamed.")


@pytest.fixture
def caller(transactional_db: None) -> Caller:
    ada = User.objects.create_user("ada")
    everything = frozenset({"*"})
    return acting_as(ada, subject="token:abc", scopes=everything, token_id="abc")


@pytest.fixture
def group(transactional_db: None) -> Group:
    return Group.objects.create(name="old")


async def called(
    ledger: Ledger, caller: Caller, tool: str, **arguments: object
) -> Call:
    """Call a tool; return its row in the ledger."""
    server = serving(shelf, observers=[ledger])
    async with connect(server, caller=caller) as client:
        await client.call_tool(tool, arguments)
    await ledger.drain()
    return await Call.objects.aget()


@pytest.mark.parametrize("tool", ["rename", "arename"])
async def test_a_change_is_the_callers_and_the_ledger_refers_to_it(
    ledger: Ledger, caller: Caller, group: Group, tool: str
) -> None:
    row = await called(ledger, caller, tool, pk=group.pk, name="new")
    entry = await LogEntry.objects.aget()
    assert row.log_entry == entry.pk
    assert (entry.user_id, entry.action_flag) == (caller.user.pk, CHANGE)
    edited = await sync_to_async(entry.get_edited_object)()
    assert edited == group
    assert entry.change_message == "Renamed to new. (MCP, token mcp_abc)"


@pytest.mark.parametrize("tool", ["replace_group", "areplace"])
async def test_the_ledger_refers_to_the_last_of_several(
    ledger: Ledger, caller: Caller, group: Group, tool: str
) -> None:
    row = await called(ledger, caller, tool, pk=group.pk)
    flags = [(e.action_flag, e.pk) async for e in LogEntry.objects.order_by("pk")]
    assert [flag for flag, _ in flags] == [DELETION, ADDITION]
    assert row.log_entry == flags[-1][1]


async def test_who_runs_it_as_somebody_is_named(
    ledger: Ledger, caller: Caller, group: Group
) -> None:
    run_as = replace(caller, actor="grace")
    row = await called(ledger, run_as, "rename", pk=group.pk, name="x")
    entry = await LogEntry.objects.aget()
    assert entry.change_message == "Renamed to x. (MCP, run by grace)"
    assert row.actor == "grace"


async def test_who_is_no_user_has_no_history(
    ledger: Ledger, group: Group, caplog: pytest.LogCaptureFixture
) -> None:
    nobody = Caller("job", frozenset({"*"}))
    with caplog.at_level(logging.INFO, "tools_app.history"):
        row = await called(ledger, nobody, "rename", pk=group.pk, name="x")
    assert (row.outcome, row.log_entry) == ("ok", None)
    assert not await LogEntry.objects.aexists()
    assert "job, who is no user: Renamed to x." in caplog.text


async def test_what_was_never_saved_has_no_history(
    ledger: Ledger, caller: Caller
) -> None:
    row = await called(ledger, caller, "unsaved")
    assert row.outcome == "tool_error"
    assert not await LogEntry.objects.aexists()
