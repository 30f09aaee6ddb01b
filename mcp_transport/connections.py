"""Closing the database connections that a call has opened.

Django closes old connections at its request signals. The lean handler sends
none, and open streams would otherwise hold a connection for their whole life.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections, connections
from django.db.backends.signals import connection_created


@contextmanager
def closing_old_connections() -> Iterator[None]:
    """What a request does around a view, for a function on a worker thread."""
    _shared.thread.closes = True
    close_old_connections()
    try:
        yield
    finally:
        close_old_connections()


class _Shared:
    """Whether a thread that does not close after itself opened a connection:
    async code reaches the database on asgiref's shared thread.
    """

    def __init__(self) -> None:
        self.thread = threading.local()
        self.has_connection = False
        self.closing: asyncio.Task[None] | None = None

    def created(self, **_: Any) -> None:
        if not getattr(self.thread, "closes", False):
            self.has_connection = True

    async def close(self) -> None:
        # Cleared before: what is opened meanwhile wants another turn.
        self.has_connection = False
        if await sync_to_async(_close)():
            self.has_connection = True


_shared = _Shared()
connection_created.connect(_shared.created, dispatch_uid="mcp_transport.connections")


def close_shared_connections() -> None:
    """Close what async code left open, as far as its settings want it closed.

    It is done in a task of its own, one at a time: whoever asks is about to end.
    """
    if not _shared.has_connection:
        return
    loop, closing = asyncio.get_running_loop(), _shared.closing
    if closing is None or closing.done() or closing.get_loop() is not loop:
        _shared.closing = loop.create_task(_shared.close())


def _close() -> bool:
    close_old_connections()
    return any(
        connection.connection is not None
        for connection in connections.all(initialized_only=True)
    )
