"""Writes records of calls into their table. Runs in a thread."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
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
from django.db.models import DateTimeField, JSONField, Model, UUIDField

from tools_app.ledger.record import Record
from tools_app.models import Call, Token

logger = logging.getLogger("tools_app.ledger")

_FIELDS = Call._meta.local_concrete_fields
# Those that each database writes in its own way.
_ADAPTED = [
    field
    for field in _FIELDS
    if isinstance(field, UUIDField | DateTimeField | JSONField)
]
# Those that the database as a whole has no part in.
_OF_THE_ROW = (DataError, IntegrityError)


def write(records: Sequence[Record], *, perhaps_written: bool = False) -> int:
    """Write a row for each record; return how many cannot be written, ever.

    ``perhaps_written`` says that an earlier attempt has failed at a point that
    nobody knows, so what is there is looked for first.

    Raises:
        DatabaseError, InterfaceError: the database takes no row at the moment;
            some may have been written.
    """
    if perhaps_written:
        ids = [record.fields["id"] for record in records]
        there = set(_calls().filter(pk__in=ids).values_list("pk", flat=True))
        records = [r for r in records if r.fields["id"] not in there]
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
        callers = {id(record.caller): record.caller for record in records}.values()
        public_ids = {c.token_id for c in callers if c.token_id is not None}
        users = {c.user.pk for c in callers if _is_user(c.user)}
        self._tokens: dict[str | None, int] = dict(
            _rows(Token).filter(public_id__in=public_ids).values_list("public_id", "pk")
        )
        self._users = set(
            _rows(get_user_model()).filter(pk__in=users).values_list("pk", flat=True)
        )

    def of(self, record: Record) -> dict[str, Any]:
        user, token_id = record.caller.user, record.caller.token_id
        known = _is_user(user) and user.pk in self._users
        return {
            "user_id": user.pk if known else None,
            "token_id": self._tokens.get(token_id),
        }


def _insert(records: Sequence[Record], references: _References) -> None:
    """Write rows in one transaction: all of them, or none.

    As bulk_create would, in a third of the time: most values are what the database
    takes already.
    """
    alias = router.db_for_write(Call)
    connection = connections[alias]
    rows = []
    for record in records:
        values = {**record.fields, **references.of(record)}
        for field in _ADAPTED:
            values[field.attname] = field.get_db_prep_save(
                values[field.attname], connection
            )
        rows.append([values[field.attname] for field in _FIELDS])
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        cursor.executemany(_statement(connection), rows)


def _statement(connection: BaseDatabaseWrapper) -> str:
    quoted = connection.ops.quote_name
    columns = ", ".join(quoted(str(field.column)) for field in _FIELDS)
    values = ", ".join(["%s"] * len(_FIELDS))
    table = quoted(Call._meta.db_table)
    return f"INSERT INTO {table} ({columns}) VALUES ({values})"


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
            record.fields["name"],
            record.fields["at"],
            type(error).__name__,
        )
        return False
    return True


def _is_outage(error: Exception) -> bool:
    of_the_database = isinstance(error, DatabaseError | InterfaceError)
    return of_the_database and not isinstance(error, _OF_THE_ROW)


def _is_user(user: Any) -> bool:
    return isinstance(user, get_user_model()) and user.pk is not None


def _calls() -> Any:
    return Call.objects.using(router.db_for_write(Call))


def _rows(model: type[Model]) -> Any:
    # Of the database that the row refers to it in, which may be no replica.
    return model._default_manager.using(router.db_for_write(Call))
