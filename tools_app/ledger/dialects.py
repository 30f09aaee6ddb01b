"""The SQL that adds to counts of calls: Django has none, and databases differ in it."""

from __future__ import annotations

from typing import NamedTuple

from django.core.exceptions import ImproperlyConfigured


class Dialect(NamedTuple):
    """Statements, to be formatted.

    ``add`` inserts ``rows``; where the ``key`` of one is there already it adds to
    each count, as ``adding`` says. ``read`` finds the counts whose keys are ``rows``:
    id, calls, durations and the key of each.
    """

    add: str
    adding: str
    read: str


_STANDARD = Dialect(
    add=(
        "INSERT INTO {table} ({columns}) VALUES {rows} "
        "ON CONFLICT ({key}) DO UPDATE SET {added}"
    ),
    adding="{count} = {table}.{count} + excluded.{count}",
    # A join, because SQLite reads the whole table for (key) IN (VALUES ...).
    read=(
        "WITH held ({key}) AS (VALUES {rows}) "
        "SELECT id, calls, durations, {key} FROM held JOIN {table} USING ({key})"
    ),
)
_MYSQL = Dialect(
    add=(
        "INSERT INTO {table} ({columns}) VALUES {rows} ON DUPLICATE KEY UPDATE {added}"
    ),
    # MySQL would have an alias for the row now, which MariaDB does not know.
    adding="{count} = {count} + VALUES({count})",
    # No join: what is joined would have a collation of its own.
    read="SELECT id, calls, durations, {key} FROM {table} WHERE ({key}) IN ({rows})",
)
# MariaDB says that it is MySQL.
_BY_VENDOR = {"mysql": _MYSQL, "postgresql": _STANDARD, "sqlite": _STANDARD}


def dialect_of(vendor: str) -> Dialect:
    """Return what ``vendor``, as Django names it, understands.

    Raises ImproperlyConfigured for one whose SQL is not known here.
    """
    if vendor not in _BY_VENDOR:
        raise ImproperlyConfigured(
            f"The ledger cannot be kept in a database of the vendor {vendor!r}; "
            "it can in SQLite, PostgreSQL, MariaDB and MySQL"
        )
    return _BY_VENDOR[vendor]
