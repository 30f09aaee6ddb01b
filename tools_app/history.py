"""What a tool has changed, entered in the admin's history of the object.

The entry is the caller's, and says by what credential, or by whose hand, it was made;
the call's row in the ledger refers to it. A tool that writes calls one of these once
it has written::

    @tool(permission="shop.change_order")
    def ship(ctx: Context, pk: int) -> str:
        order = Order.objects.get(pk=pk)
        order.ship()
        log_change(ctx, order, "Shipped.")
        return f"Order {pk} is on its way."

An ``async def`` awaits ``alog_change`` and its kin. Needs django.contrib.admin.
"""

from __future__ import annotations

import logging

from asgiref.sync import sync_to_async
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.context import Context
from tools_app.credential import PREFIX
from tools_app.ledger.record import LOG_ENTRY

# As long as the admin's table takes it.
MAX_REPR_CHARS = 200

logger = logging.getLogger("tools_app.history")


def log_addition(ctx: Context, obj: Model, message: str = "Added.") -> LogEntry | None:
    """Enter that the call has made ``obj``; otherwise as ``log_change``."""
    return _log(ctx, obj, ADDITION, message)


def log_change(ctx: Context, obj: Model, message: str) -> LogEntry | None:
    """Enter that the call has changed ``obj``, and how.

    The ledger refers to the last entry that a call makes. Return None, with a line in
    the log, where the caller is no user: the admin's history is one of users.
    """
    return _log(ctx, obj, CHANGE, message)


def log_deletion(
    ctx: Context, obj: Model, message: str = "Deleted."
) -> LogEntry | None:
    """Enter that the call deletes ``obj``; otherwise as ``log_change``.

    Call it before: an object that was deleted has no primary key to be found by.
    """
    return _log(ctx, obj, DELETION, message)


async def alog_addition(
    ctx: Context, obj: Model, message: str = "Added."
) -> LogEntry | None:
    return await sync_to_async(log_addition)(ctx, obj, message)


async def alog_change(ctx: Context, obj: Model, message: str) -> LogEntry | None:
    return await sync_to_async(log_change)(ctx, obj, message)


async def alog_deletion(
    ctx: Context, obj: Model, message: str = "Deleted."
) -> LogEntry | None:
    return await sync_to_async(log_deletion)(ctx, obj, message)


def _log(ctx: Context, obj: Model, flag: int, message: str) -> LogEntry | None:
    caller = ctx.caller
    if obj.pk is None:
        raise ValueError("an object without a primary key has no history")
    if not isinstance(caller.user, get_user_model()):
        logger.info("%s by %s, who is no user: %s", obj, caller.subject, message)
        return None
    entry = LogEntry.objects.create(
        user_id=caller.user.pk,
        content_type=ContentType.objects.get_for_model(obj, for_concrete_model=False),
        object_id=str(obj.pk),
        object_repr=str(obj)[:MAX_REPR_CHARS],
        action_flag=flag,
        change_message=f"{message} ({_by(caller)})",
    )
    ctx.note(LOG_ENTRY, entry.pk)
    return entry


def _by(caller: Caller) -> str:
    """Say how the user came to do it."""
    if caller.actor is not None:
        return f"MCP, run by {caller.actor}"
    if caller.token_id is not None:
        return f"MCP, token {PREFIX}{caller.token_id}"
    return f"MCP, {caller.subject}"
