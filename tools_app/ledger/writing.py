"""Writes records of calls into their table, and counts them. Runs in a thread."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from django.contrib.auth import get_user_model
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    connections,
    router,
    transaction,
)
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from tools_app.ledger.counting import count
from tools_app.ledger.record import Record
from tools_app.models import Call, Token

logger = logging.getLogger("tools_app.ledger")

_FIELDS = Call._meta.local_concrete_fields
_ID = Call._meta.get_field("id")
_in_order = itemgetter(*(field.attname for field in _FIELDS))
# Those that the database as a whole has no part in.
_OF_THE_ROW = (DataError, IntegrityError)
# What MariaDB and MySQL say, by an OperationalError, of text that the character set
# of a column does not have.
_INCORRECT_STRING = 1366


def write(records: Sequence[Record], *, perhaps_written: bool = False) -> int:
    """Write a row for each record; return how many cannot be written, ever.

    ``perhaps_written`` says that an earlier attempt has failed at a point that
    nobody knows, so what is there is looked for first.

    Raises:
        DatabaseError, InterfaceError: the database takes no row at the moment;
            some may have been written.
    """
    if perhaps_written:
        ids = [record.id for record in records]
        there = set(_calls().filter(pk__in=ids).values_list("pk", flat=True))
        records = [r for r in records if r.id not in there]
    try:
        _insert(records, _References(records))
    except Exception as error:
        if _is_outage(error):
            raise
        return sum(not _written_alone(record) for record in records)
    return 0


class _References:
    """The tokens and users of some records that still exist, by what callers know."""

    def __init__(self, records: Iterable[Record]) -> None:
        # One caller is in many records.
        callers = {id(record.caller): record.caller for record in records}
        public_ids = {c.token_id for c in callers.values() if c.token_id is not None}
        found = _rows(Token).filter(public_id__in=public_ids)
        tokens = dict(found.values_list("public_id", "pk"))
        user_model = get_user_model()
        given = {
            key: caller.user.pk
            for key, caller in callers.items()
            if isinstance(caller.user, user_model)
        }
        found = _rows(user_model).filter(pk__in={*given.values()} - {None})
        users = set(found.values_list("pk", flat=True))
        self._of = {
            key: {
                "token_id": tokens.get(caller.token_id),
                "user_id": given[key] if given.get(key) in users else None,
            }
            for key, caller in callers.items()
        }

    def of(self, record: Record) -> dict[str, Any]:
        return self._of[id(record.caller)]


def _insert(records: Sequence[Record], references: _References) -> None:
    """Write rows, and count them, in one transaction: all of them, or none.

    As bulk_create would, in a third of the time: most values are what the database
    takes already.
    """
    alias = router.db_for_write(Call)
    connection = connections[alias]
    calls = [record.fields() | references.of(record) for record in records]
    rows = [_values(call, connection) for call in calls]
    # Many rows a statement, because each is a chance for threads to change.
    size = connection.ops.bulk_batch_size(_FIELDS, rows)
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            cursor.execute(_statement(connection, len(part)), list(chain(*part)))
        count(connection, calls)


def _values(
    call: Mapping[str, Any], connection: BaseDatabaseWrapper
) -> tuple[Any, ...]:
    """Return the values of one row, in the order of _FIELDS."""
    ops = connection.ops
    # Those that each database writes in its own way.
    adapted = {
        "id": _ID.get_db_prep_value(call["id"], connection),
        "at": ops.adapt_datetimefield_value(call["at"]),
        "arguments": ops.adapt_json_value(call["arguments"], None),
    }
    row: tuple[Any, ...] = _in_order({**call, **adapted})
    return row


def _statement(connection: BaseDatabaseWrapper, count: int) -> str:
    """Return the SQL that inserts so many rows."""
    quoted = connection.ops.quote_name
    columns = ", ".join(quoted(str(field.column)) for field in _FIELDS)
    row = f"({', '.join(['%s'] * len(_FIELDS))})"
    rows = ", ".join([row] * count)
    return f"INSERT INTO {quoted(Call._meta.db_table)} ({columns}) VALUES {rows}"


def _written_alone(record: Record) -> bool:
    """Write one record; False, with a word in the log, where no database takes it.

    Whom it refers to may have been deleted since, which is looked up anew.
    """
    try:
        _insert([record], _References([record]))
    except Exception as error:
        if _is_outage(error):
            raise
        # Not what the database says of it: that may quote the row.
        logger.error(
            "A call of %r at %s cannot be written into the ledger: %s",
            record.name,
            record.fields()["at"],
            type(error).__name__,
        )
        return False
    return True


def _is_outage(error: Exception) -> bool:
    if isinstance(error, _OF_THE_ROW) or error.args[:1] == (_INCORRECT_STRING,):
        return False
    return isinstance(error, DatabaseError | InterfaceError)


def _calls() -> Any:
    return Call.objects.using(router.db_for_write(Call))


def _rows(model: type[Model]) -> Any:
    # Of the database that the row refers to it in, which may be no replica.
    return model._default_manager.using(router.db_for_write(Call))
