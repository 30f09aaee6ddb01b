"""Closing the database connections that a call has opened.

Django closes old connections at its request signals. The lean handler sends
none, and open streams would otherwise hold a connection for their whole life.
"""

from __future__ import annotations

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
    _own.threads.add(threading.get_ident())
    close_old_connections()
    try:
        yield
    finally:
        close_old_connections()


class _Own:
    """Threads that close after themselves, and whether another one opened a
    connection: async code reaches the database on asgiref's shared thread.
    """

    def __init__(self) -> None:
        self.threads: set[int] = set()
        self.shared_thread_has_one = False

    def created(self, **_: Any) -> None:
        if threading.get_ident() not in self.threads:
            self.shared_thread_has_one = True


_own = _Own()
connection_created.connect(_own.created, dispatch_uid="mcp_transport.connections")


async def close_shared_connections() -> None:
    """Close what async code left open, as far as its settings want it closed."""
    if _own.shared_thread_has_one:
        _own.shared_thread_has_one = await sync_to_async(_close)()


def _close() -> bool:
    close_old_connections()
    return any(
        connection.connection is not None
        for connection in connections.all(initialized_only=True)
    )
