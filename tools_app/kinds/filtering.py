"""The filters of a query: which there may be, and what a caller gives for each."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db import models
from django.utils import timezone
from pydantic import Field

from tools_app.kinds.modelfield import FieldPath, find_path

MAX_VALUE_CHARS = 1_000
MAX_LISTED = 100
MAX_CHOICES = 100
_INTEGERS = Field(ge=-(2**63), le=2**63 - 1)
# Years that every database and every time zone can say.
_YEARS = range(1000, 9999)

_ALWAYS = ("exact", "in", "isnull")
_ORDERED = (*_ALWAYS, "lt", "lte", "gt", "gte")
_TEXT = (
    *_ALWAYS,
    "iexact",
    "contains",
    "icontains",
    "startswith",
    "istartswith",
    "endswith",
    "iendswith",
)
# No lookup takes a pattern: the database would run it for as long as it likes.
LOOKUPS: Mapping[Any, tuple[str, ...]] = {
    bool: ("exact", "isnull"),
    int: _ORDERED,
    float: _ORDERED,
    Decimal: _ORDERED,
    datetime.date: _ORDERED,
    datetime.datetime: (*_ORDERED, "date"),
    datetime.time: _ORDERED,
    datetime.timedelta: _ORDERED,
    UUID: _ALWAYS,
    str: _TEXT,
    Any: ("isnull",),
}
_SAID = {
    "exact": "{} is this",
    "in": "{} is one of these",
    "isnull": "true: {} is not set; false: it is",
    "lt": "{} is under this",
    "lte": "{} is this or less",
    "gt": "{} is over this",
    "gte": "{} is this or more",
    "date": "{} is on this day",
    "iexact": "{} is this, in capitals or not",
    "contains": "{} contains this",
    "icontains": "{} contains this, in capitals or not",
    "startswith": "{} begins with this",
    "istartswith": "{} begins with this, in capitals or not",
    "endswith": "{} ends with this",
    "iendswith": "{} ends with this, in capitals or not",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """``name`` is the argument's, as it was written: a path, or path__lookup."""

    name: str
    path: FieldPath
    lookup: str

    @property
    def annotation(self) -> Any:
        """The type of the argument, with its bounds and its description."""
        text = _SAID[self.lookup].format(self.path.label)
        described = Field(description=text[:1].upper() + text[1:])
        if self.lookup == "isnull":
            return Annotated[bool, described]
        if self.lookup == "date":
            return Annotated[datetime.date, described]
        one = _one_value(self.path, self.lookup)
        if self.lookup == "in":
            bounds = Field(min_length=1, max_length=MAX_LISTED)
            return Annotated[list[one], bounds, described]  # type: ignore[valid-type]
        return Annotated[one, described]

    def condition(self, value: Any) -> tuple[str, Any]:
        """Return the filter with a caller's value.

        Raises ValueError for a value that no row can have.
        """
        usable = (
            [usable_value(self.name, item) for item in value]
            if isinstance(value, list)
            else usable_value(self.name, value)
        )
        return f"{self.path.path}__{self.lookup}", usable


def find_filter(model: type[models.Model], name: str) -> Filter:
    """Return the filter of that name.

    Raises ValueError for a path that may not be read, and for a lookup that is
    not safe or not of that field.
    """
    path, lookup = name, "exact"
    before, _, last = name.rpartition("__")
    if before and last in _SAID and not _is_field(model, name):
        path, lookup = before, last
    found = find_path(model, path)
    allowed = LOOKUPS[found.value]
    if lookup not in allowed:
        raise ValueError(
            f"{name}: {found.path} can be filtered by {', '.join(allowed)}, "
            f"not by {lookup}"
        )
    return Filter(name, found, lookup)


def usable_value(name: str, value: Any) -> Any:
    """Return ``value`` as the database takes it. Raises ValueError."""
    if isinstance(value, str) and "\0" in value:
        raise ValueError(f"{name}: the character U+0000 cannot be looked for")
    if isinstance(value, datetime.date) and value.year not in _YEARS:
        raise ValueError(f"{name}: give a year from {_YEARS[0]} to {_YEARS[-1]}")
    if isinstance(value, datetime.datetime) and timezone.is_naive(value):
        return timezone.make_aware(value)
    return value


def _is_field(model: type[models.Model], path: str) -> bool:
    """Tell whether a field has the name of a lookup, such as "date"."""
    try:
        find_path(model, path)
    except ValueError:
        return False
    return True


def _one_value(path: FieldPath, lookup: str) -> Any:
    field = path.field
    values = [value for value, _ in field.flatchoices or ()]
    if lookup in ("exact", "in") and 0 < len(values) <= MAX_CHOICES:
        known = tuple(value for value in values if type(value) is path.value)
        if known and path.value in (str, int):
            return Literal[known]
    if path.value is str:
        return Annotated[str, Field(max_length=MAX_VALUE_CHARS)]
    if path.value is int:
        return Annotated[int, _INTEGERS]
    if isinstance(field, models.DecimalField):
        bounds = Field(max_digits=field.max_digits, decimal_places=field.decimal_places)
        return Annotated[Decimal, bounds]
    return path.value
