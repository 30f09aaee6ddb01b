"""Counts calls in the transaction that writes their rows: both are there or neither."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, product
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from mcp_transport.engine.observing import Outcome
from mcp_transport.protocol.errors import TOO_MANY_REQUESTS
from tools_app.call import FAILURES
from tools_app.call_count import KEY, CallCount
from tools_app.ledger.dialects import dialect_of
from tools_app.ledger.periods import PERIODS

# By what a call is counted: by its name or not, by its token or not.
GROUPINGS = tuple(product((False, True), repeat=2))

_COUNTS = ("calls", "errors", "limited")
_COLUMNS = (*KEY, *_COUNTS, "durations")
_FIELDS = [CallCount._meta.get_field(name) for name in _COLUMNS]
# Of more keys at once MySQL reads the whole table, to save memory.
_MAX_ROWS = 1000

_Key = tuple[Any, ...]
_json = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(slots=True)
class _Added:
    """What there is to add to one count. ``durations`` has texts for keys, as JSON."""

    calls: int = 0
    errors: int = 0
    limited: int = 0
    durations: dict[str, int] = field(default_factory=dict)

    def add(self, other: _Added) -> None:
        self.calls += other.calls
        self.errors += other.errors
        self.limited += other.limited
        _add(self.durations, other.durations)


def count(connection: BaseDatabaseWrapper, calls: Iterable[Mapping[str, Any]]) -> None:
    """Add calls to what is counted. Each is a row of Call, by the names of columns.

    To be called in a transaction, which holds what it adds to until its end.
    """
    # Sorted, so that two processes that add to the same counts wait for each other in
    # the same order.
    added = sorted(_added(calls).items(), key=lambda item: item[0])
    size = min(connection.ops.bulk_batch_size(_FIELDS, added), _MAX_ROWS)
    for start in range(0, len(added), size):
        part = dict(added[start : start + size])
        _add_counts(connection, part)
        _add_durations(connection, part)


def _added(calls: Iterable[Mapping[str, Any]]) -> dict[_Key, _Added]:
    # Most calls of one moment are alike, so that little is left to be told apart.
    alike: dict[_Key, _Added] = defaultdict(_Added)
    for call in calls:
        one = alike[call["minute"], call["method"], call["name"], call["token_id"] or 0]
        outcome, bucket = call["outcome"], str(call["duration_bucket"])
        one.calls += 1
        one.errors += outcome in FAILURES
        one.limited += (
            outcome == Outcome.ERROR and call["error_code"] == TOO_MANY_REQUESTS
        )
        one.durations[bucket] = one.durations.get(bucket, 0) + 1
    added: dict[_Key, _Added] = defaultdict(_Added)
    for called, one in alike.items():
        for key in _keys(*called):
            added[key].add(one)
    return added


def _keys(minute: int, method: str, name: str, token: int) -> Iterator[_Key]:
    """Yield the key of each count that a call belongs to."""
    for period in PERIODS.values():
        step = period.step_minutes
        begin = minute - minute % step
        for by_name, by_token in GROUPINGS:
            named = (method, name) if by_name else ("", "")
            yield step, by_name, by_token, begin, *named, token if by_token else 0


def _add_counts(connection: BaseDatabaseWrapper, part: Mapping[_Key, _Added]) -> None:
    """Add to counts, and make those that are not there; hold them all."""
    quoted = connection.ops.quote_name
    table, dialect = quoted(CallCount._meta.db_table), dialect_of(connection.vendor)
    added = (dialect.adding.format(table=table, count=quoted(c)) for c in _COUNTS)
    sql = dialect.add.format(
        table=table,
        columns=", ".join(map(quoted, _COLUMNS)),
        rows=_rows(len(_COLUMNS), len(part)),
        key=", ".join(map(quoted, KEY)),
        added=", ".join(added),
    )
    rows = (
        (*key, one.calls, one.errors, one.limited, _json(one.durations))
        for key, one in part.items()
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, list(chain.from_iterable(rows)))


def _add_durations(
    connection: BaseDatabaseWrapper, part: Mapping[_Key, _Added]
) -> None:
    """Add to the durations of counts that are held: no SQL adds to JSON."""
    quoted = connection.ops.quote_name
    table = quoted(CallCount._meta.db_table)
    read = dialect_of(connection.vendor).read.format(
        table=table,
        key=", ".join(map(quoted, KEY)),
        rows=_rows(len(KEY), len(part)),
    )
    write = f"UPDATE {table} SET durations = %s WHERE id = %s"
    sums = []
    with connection.cursor() as cursor:
        cursor.execute(read, list(chain.from_iterable(part)))
        for id, calls, text, *counted in cursor.fetchall():
            one = part[tuple(counted)]
            # Of a count that was made just now there is nothing to add to.
            if calls > one.calls:
                durations = json.loads(text)
                _add(durations, one.durations)
                sums.append((_json(durations), id))
        cursor.executemany(write, sums)


def _add(durations: dict[str, int], more: Mapping[str, int]) -> None:
    for bucket, calls in more.items():
        durations[bucket] = durations.get(bucket, 0) + calls


def _rows(columns: int, rows: int) -> str:
    return ", ".join([f"({', '.join(['%s'] * columns)})"] * rows)
