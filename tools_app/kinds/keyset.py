"""Pages by keys: each begins after the last row of the one before, wherever that is
by then, and costs what the first did.

The database finds the place by an index on what the rows are sorted by. Rows that
have nothing to be sorted by come last, in either direction and on every database.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import F, Q, QuerySet
from pydantic import ConfigDict, TypeAdapter, ValidationError

from mcp_transport.conf import get_signer
from tools_app.kinds.modelfield import FieldPath, find_path

Rows = QuerySet[Any, Any]
# The values that a row is sorted by, one for each key.
Position = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that rows are sorted by."""

    field: FieldPath
    descending: bool = False

    @property
    def sorting(self) -> Any:
        # By the column itself: of a foreign key Django would sort by what the other
        # model is sorted by.
        column = F(self.field.path)
        return column.desc() if self.descending else column.asc()

    def beyond(self, value: Any) -> Q:
        return Q(**{f"{self.field.path}__{'lt' if self.descending else 'gt'}": value})

    def from_(self, value: Any) -> Q:
        return Q(**{f"{self.field.path}__{'lte' if self.descending else 'gte'}": value})


@dataclass(frozen=True, slots=True)
class Order:
    """What rows are sorted by: ``name``, such as "-created_at", and where that is the
    same the primary key. The first key alone may have no value.
    """

    name: str
    keys: tuple[Key, ...]
    position: TypeAdapter[Position]

    @classmethod
    def of(cls, model: type[models.Model], name: str) -> Order:
        """Return the order of that name; "" sorts by the primary key alone.

        Raises ValueError for a path that may not be read, or has no order.
        """
        keys = [Key(find_path(model, f.name)) for f in model._meta.pk_fields]
        if name:
            field = find_path(model, name.removeprefix("-"))
            if field.value is Any:
                raise ValueError(f"{name}: rows cannot be sorted by JSON")
            keys.insert(0, Key(field, descending=name.startswith("-")))
        types: Any = tuple(
            key.field.value | None if key.field.nullable else key.field.value
            for key in keys
        )
        exact = ConfigDict(ser_json_inf_nan="strings")
        return cls(name, tuple(keys), TypeAdapter(tuple[types], config=exact))

    @property
    def paths(self) -> list[str]:
        return [key.field.path for key in self.keys]

    def cursor(self, purpose: str, row: Mapping[str, Any]) -> str:
        """Return what a client gives back to go on after ``row``.

        It is signed and not encrypted: whoever has it can read what the row is
        sorted by.
        """
        data = self.position.dump_json(tuple(row[path] for path in self.paths))
        return get_signer().sign(self._purpose(purpose), data)

    def find(self, purpose: str, cursor: str | None) -> Position | None:
        """Return the position of a cursor, None for where the rows begin.

        Raises ValueError for a cursor that was not made for this order and purpose.
        """
        if cursor is None:
            return None
        data = get_signer().verify(self._purpose(purpose), cursor)
        if data is not None:
            try:
                return self.position.validate_json(data)
            except ValidationError:
                pass  # of a field that had another type then
        raise ValueError(
            "cursor: give next_cursor of the last result, with the same order, or "
            "leave it out to begin again"
        )

    def after(self, rows: Rows, position: Position | None) -> list[Rows]:
        """Return ``rows`` in this order, but for those up to ``position``: querysets
        that follow one another.
        """
        first, *ties = self.keys
        if not first.field.nullable:
            return [_sorted(rows, self.keys, position)]
        valued, unvalued = (
            rows.filter(**{f"{first.field.path}__isnull": absent})
            for absent in (False, True)
        )
        if position is not None and position[0] is None:
            return [_sorted(unvalued, ties, position[1:])]
        return [_sorted(valued, self.keys, position), _sorted(unvalued, ties, None)]

    def _purpose(self, purpose: str) -> str:
        return f"query-cursor:{self.name}:{purpose}"


def find_order(model: type[models.Model], name: str, shown: Collection[str]) -> Order:
    """Return the order of that name, by a path that is shown or the primary key:
    a cursor tells it.

    Raises ValueError for any other path, and for one that may not be read.
    """
    order = Order.of(model, name)
    path, pk = name.removeprefix("-"), model._meta.pk
    if path not in (*shown, "pk", pk.name):
        raise ValueError(f"{name}: rows are sorted by what they show; show {path} too")
    return order


def _sorted(rows: Rows, keys: Sequence[Key], position: Position | None) -> Rows:
    if position is not None:
        rows = rows.filter(_beyond(keys, position))
    return rows.order_by(*(key.sorting for key in keys))


def _beyond(keys: Sequence[Key], position: Position) -> Q:
    """Return the condition that the keys, as a tuple, are beyond ``position``.

    The bound on the first key alone follows from the rest; it is what the database
    takes to an index.
    """
    key, value = keys[0], position[0]
    if len(keys) == 1:
        return key.beyond(value)
    rest = _beyond(keys[1:], position[1:])
    return key.from_(value) & (key.beyond(value) | rest)
