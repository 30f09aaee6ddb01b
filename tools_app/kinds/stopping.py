"""What a query has begun in the database ends when its call does.

Each database has its own way to be told; one without a path here goes on until it
has found what it was asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from django.db import connections, transaction

from mcp_transport.engine.context import Context

# After the deadline, so that the client hears of that, not of a failure.
GRACE_S = 1
# What all of them take at most, in milliseconds.
MAX_TIMEOUT_MS = 2**31 - 1
# How many steps of its virtual machine SQLite takes between two looks: about 1 ms.
STEPS = 10_000

# A shorter timeout that the database's administrator has set stays as it is.
_POSTGRESQL = """
    SELECT set_config('transaction_read_only', 'on', true),
           set_config(name, LEAST(NULLIF(setting::int, 0), %s)::text, true)
    FROM pg_settings WHERE name = 'statement_timeout'
"""
# How the timeout is asked for, and set, in milliseconds; 0 is none.
_MYSQL = {
    "MariaDB": (
        "SELECT @@SESSION.max_statement_time * 1000",
        "SET SESSION max_statement_time = %s / 1000",
    ),
    "MySQL": (
        "SELECT @@SESSION.max_execution_time",
        "SET SESSION max_execution_time = %s",
    ),
}


def stopping_with(context: Context, alias: str) -> AbstractContextManager[None]:
    """Return what makes the database ``alias`` stop with the call, while entered.

    What is stopped raises OperationalError, in a thread for whose result nobody
    waits any longer.
    """
    stopping = _BY_VENDOR.get(connections[alias].vendor)
    return nullcontext() if stopping is None else stopping(context, alias)


@contextmanager
def _postgresql(context: Context, alias: str) -> Iterator[None]:
    """Bound each statement of a transaction, which may not write."""
    with transaction.atomic(alias, durable=True):
        with connections[alias].cursor() as cursor:
            cursor.execute(_POSTGRESQL, [_timeout_ms(context)])
        yield


@contextmanager
def _mysql(context: Context, alias: str) -> Iterator[None]:
    """Bound each statement of a transaction, which may not write.

    MySQL bounds those that read, which are all. The timeout is the connection's, and
    is as it was afterwards.
    """
    connection = connections[alias]
    read, write = _MYSQL[connection.display_name]
    timeout_ms = _timeout_ms(context)
    with connection.cursor() as cursor:
        cursor.execute(read)
        usual_ms = cursor.fetchone()[0]
    try:
        with transaction.atomic(alias, durable=True):
            with connection.cursor() as cursor:
                cursor.execute(write, [min(usual_ms or timeout_ms, timeout_ms)])
                cursor.execute("START TRANSACTION READ ONLY")
            yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(write, [usual_ms])


@contextmanager
def _sqlite(context: Context, alias: str) -> Iterator[None]:
    """Look whether the call was cancelled, every few steps."""
    connection = connections[alias]
    connection.ensure_connection()
    connection.connection.set_progress_handler(lambda: context.cancelled, STEPS)
    try:
        yield
    finally:
        connection.connection.set_progress_handler(None, 0)


def _timeout_ms(context: Context) -> int:
    return math.ceil(min((context.left_s + GRACE_S) * 1000, MAX_TIMEOUT_MS))


_BY_VENDOR: dict[str, Callable[[Context, str], AbstractContextManager[None]]] = {
    "mysql": _mysql,
    "postgresql": _postgresql,
    "sqlite": _sqlite,
}
