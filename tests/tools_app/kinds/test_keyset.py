from __future__ import annotations

import datetime
import math
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.test.utils import isolate_apps

from tools_app.kinds.keyset import Order, find_order

DAY = datetime.timedelta(days=1)
NOON = datetime.datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=datetime.UTC)

Row = dict[str, Any]


@pytest.fixture
def history(db: None) -> None:
    users = [User.objects.create_user(name) for name in ("zoe", "ada")]
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.bulk_create(
        LogEntry(
            user=users[number % 2],
            content_type=None if number % 3 == 0 else kind,
            object_id=None if number % 4 == 1 else f"{number // 2:02}",
            object_repr=f"page {number:02}",
            action_flag=1 + number % 3,
            action_time=NOON + DAY * (number // 2),
        )
        for number in range(12)
    )


def page(order: Order, model: Any, cursor: str | None, size: int) -> list[Row]:
    position = order.find("test", cursor)
    found: list[Row] = []
    for part in order.after(model._default_manager.all(), position):
        found += part.values(*order.paths)[: size - len(found)]
    return found


def paged(order: Order, model: Any, size: int) -> list[Row]:
    """Return all rows, as a client goes through them."""
    found: list[Row] = []
    cursor = None
    while True:
        rows = page(order, model, cursor, size)
        if not rows:
            return found
        found += rows
        cursor = order.cursor("test", rows[-1])


def in_order(rows: list[Row], path: str, descending: bool) -> list[Any]:
    """Sort as is promised: what has no value last, and by pk where it is the same."""
    rows = sorted(rows, key=lambda row: row["id"])
    valued = [row for row in rows if row[path] is not None]
    valued.sort(key=lambda row: row[path], reverse=descending)
    if descending:  # reverse keeps the order of what is the same
        assert all(a[path] >= b[path] for a, b in zip(valued, valued[1:], strict=False))
    return [r["id"] for r in [*valued, *(r for r in rows if r[path] is None)]]


@pytest.mark.parametrize("size", [1, 2, 5, 12, 20])
@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize(
    "path",
    [
        "pk",
        "id",
        "action_flag",
        "action_time",
        "object_id",
        "user",
        "user__username",
        "content_type",
        "content_type__model",
    ],
)
def test_the_pages_are_all_rows_in_order(
    history: None, path: str, sign: str, size: int
) -> None:
    whole = list(LogEntry.objects.values("id", path))
    order = Order.of(LogEntry, sign + path)
    found = [row["id"] for row in paged(order, LogEntry, size)]
    assert found == in_order(whole, path, sign == "-")


def test_without_a_name_it_is_the_primary_key(history: None) -> None:
    found = [row["id"] for row in paged(Order.of(LogEntry, ""), LogEntry, 5)]
    assert found == sorted(LogEntry.objects.values_list("pk", flat=True))
    assert len(found) == 12


def test_what_is_made_and_deleted_meanwhile_makes_no_doubles(history: None) -> None:
    order = Order.of(LogEntry, "-action_time")
    first = page(order, LogEntry, None, 5)
    cursor = order.cursor("test", first[-1])
    following = page(order, LogEntry, cursor, 5)
    LogEntry.objects.filter(pk=first[-1]["id"]).delete()
    LogEntry.objects.create(
        user=User.objects.get(username="ada"),
        action_flag=1,
        action_time=NOON + 99 * DAY,
    )
    assert page(order, LogEntry, cursor, 5) == following


# MariaDB and MySQL keep none.
INFINITE = [] if connection.vendor == "mysql" else [-math.inf, math.inf]
VALUES: dict[str, list[Any]] = {
    "flag": [False, True],
    "number": [-(2**63), 0, 2**63 - 1],
    "real": sorted([-1.5, 0.1, 0.1 + 0.2, 1e300, *INFINITE]),
    "amount": [Decimal("-1.05"), Decimal("0.10"), Decimal("99999.99")],
    "moment": [NOON, NOON + datetime.timedelta(microseconds=1), NOON + DAY],
    "day": [datetime.date(1000, 1, 1), datetime.date(2026, 3, 1)],
    "hour": [datetime.time(0, 0, 0, 1), datetime.time(23, 59, 59, 999999)],
    "lasted": [-DAY, datetime.timedelta(microseconds=1), 400 * DAY],
    "identity": [uuid.UUID(int=1), uuid.UUID(int=2**127)],
    "text": ["a", "a'b", 'a"\\', "b%_", "ä", "日本"],
    "address": ["10.0.0.1", "10.0.0.2", "::1"],
}


@pytest.fixture
def reading(transactional_db: None) -> Iterator[type[models.Model]]:
    """A model with a field of each type that rows can be sorted by."""
    with isolate_apps("tools_app"):

        class Reading(models.Model):
            flag = models.BooleanField(null=True)
            number = models.BigIntegerField(null=True)
            real = models.FloatField(null=True)
            amount = models.DecimalField(max_digits=7, decimal_places=2, null=True)
            moment = models.DateTimeField(null=True)
            day = models.DateField(null=True)
            hour = models.TimeField(null=True)
            lasted = models.DurationField(null=True)
            identity = models.UUIDField(null=True)
            text = models.TextField(null=True)  # noqa: DJ001
            address = models.GenericIPAddressField(null=True)
            told = models.JSONField(null=True)

            class Meta:
                app_label = "tools_app"

            def __str__(self) -> str:
                return f"reading {self.pk}"

    with connection.schema_editor() as schema:
        schema.create_model(Reading)
    yield Reading
    with connection.schema_editor() as schema:
        schema.delete_model(Reading)


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("path", VALUES)
def test_values_of_every_type_go_there_and_back(
    reading: Any, path: str, sign: str
) -> None:
    values = [*VALUES[path], None, *VALUES[path], None]
    reading.objects.bulk_create(reading(**{path: value}) for value in values)
    order = Order.of(reading, sign + path)
    found = [row["id"] for row in paged(order, reading, 1)]
    column = models.F(path)
    sorting = column.desc if sign else column.asc
    known = reading.objects.order_by(sorting(nulls_last=True), "pk")
    assert found == [row.pk for row in known]
    assert len(found) == len(values)


def test_json_has_no_order(reading: Any) -> None:
    with pytest.raises(ValueError, match="cannot be sorted by JSON"):
        Order.of(reading, "told")


def test_a_key_of_several_fields_is_one_key(transactional_db: None) -> None:
    with isolate_apps("tools_app"):

        class Seat(models.Model):
            pk = models.CompositePrimaryKey("row", "number")
            row = models.IntegerField()
            number = models.IntegerField()
            price = models.IntegerField()

            class Meta:
                app_label = "tools_app"

            def __str__(self) -> str:
                return f"{self.row}.{self.number}"

    with connection.schema_editor() as schema:
        schema.create_model(Seat)
    try:
        seats = Seat._default_manager
        seats.bulk_create(Seat(row=n % 3, number=n, price=n % 2) for n in range(8))
        order = Order.of(Seat, "-price")
        found = [(r["row"], r["number"]) for r in paged(order, Seat, 3)]
    finally:
        with connection.schema_editor() as schema:
            schema.delete_model(Seat)
    known = sorted((-(n % 2), n % 3, n) for n in range(8))
    assert found == [(row, number) for _, row, number in known]


# Cursors.


def test_a_cursor_is_of_one_order_and_one_purpose(history: None) -> None:
    order = Order.of(LogEntry, "action_time")
    row = page(order, LogEntry, None, 1)[0]
    cursor = order.cursor("test", row)
    assert order.find("test", cursor) == (row["action_time"], row["id"])
    assert order.find("test", None) is None
    head, _, tail = cursor.rpartition(".")
    for purpose, name, text in (
        ("other", "action_time", cursor),
        ("test", "-action_time", cursor),
        ("test", "action_time", cursor[:-1]),
        ("test", "action_time", f"{head[:-1]}x.{tail}"),
        ("test", "action_time", ""),
        ("test", "action_time", "ä"),
    ):
        with pytest.raises(ValueError, match="next_cursor of the last result"):
            Order.of(LogEntry, name).find(purpose, text)


def test_a_cursor_does_not_outlive_the_type_of_its_field() -> None:
    now, then = Order.of(LogEntry, "action_time"), Order.of(User, "username")
    was = Order("action_time", then.keys, then.position)
    cursor = was.cursor("test", {"username": "ada", "id": 1})
    assert was.find("test", cursor) == ("ada", 1)
    with pytest.raises(ValueError, match="next_cursor of the last result"):
        now.find("test", cursor)


def test_rows_are_sorted_by_what_a_cursor_may_tell() -> None:
    for name in ("username", "-username", "pk", "-id"):
        assert find_order(User, name, ["username"]).name == name
    with pytest.raises(ValueError, match="show last_login too"):
        find_order(User, "-last_login", ["username"])
    with pytest.raises(ValueError, match="looks like a secret"):
        find_order(User, "password", ["password"])
