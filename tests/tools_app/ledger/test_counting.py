"""What is counted is what the rows say, however they are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import import_module
from itertools import product
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mcp_transport.engine.observing import Outcome
from tests.tools_app.conftest import Issue
from tests.tools_app.ledger.calls import add_calls, call, served
from tools_app.ledger.counting import GROUPINGS
from tools_app.ledger.periods import PERIODS
from tools_app.ledger.record import Record, recorded
from tools_app.ledger.redaction import Redaction
from tools_app.ledger.writing import write
from tools_app.models import Call, CallCount, Token

migration = import_module("tools_app.migrations.0008_count_calls")

pytestmark = pytest.mark.django_db


def record(**given: Any) -> Record:
    return recorded(served(**given), Redaction({}, 2048))


def all_kinds(issue: Issue) -> list[Call]:
    tokens: list[Token | None] = [None, issue()[0], issue()[0]]
    names = [("tools/call", "one"), ("prompts/get", "one"), ("tools/call", "two")]
    outcomes = [(Outcome.OK, None), (Outcome.ERROR, 429), (Outcome.TIMED_OUT, None)]
    # Of different steps in each period, and some outside of it.
    agos = [timedelta(minutes=7**n) for n in range(6)]
    return [
        call(
            ago,
            method=method,
            name=name,
            token=token,
            outcome=outcome,
            error_code=code,
            duration_ms=duration_ms,
        )
        for ago, (method, name), token, (outcome, code), duration_ms in product(
            agos, names, tokens, outcomes, (1.0, 500.0)
        )
    ]


def counted() -> list[tuple[Any, ...]]:
    fields = [field.name for field in CallCount._meta.fields if field.name != "id"]
    rows = [
        (*rest, sorted(durations.items()))
        for *rest, durations in CallCount.objects.values_list(*fields)
    ]
    return sorted(rows)


def of_rows(calls: Iterable[Call]) -> list[tuple[Any, ...]]:
    """Return what is to be counted, told from each row by itself."""
    sums: Counter[tuple[Any, ...]] = Counter()
    for one, period, (by_name, by_token) in product(calls, PERIODS.values(), GROUPINGS):
        key = (
            period.step_minutes,
            by_name,
            by_token,
            one.minute // period.step_minutes * period.step_minutes,
            one.method if by_name else "",
            one.name if by_name else "",
            (one.token_id or 0) if by_token else 0,
        )
        sums[*key, "calls"] += 1
        sums[*key, "errors"] += one.outcome != Outcome.OK
        sums[*key, "limited"] += one.error_code == 429
        sums[*key, str(one.duration_bucket)] += 1
    words = ("calls", "errors", "limited")
    return sorted(
        (
            *key,
            *(sums[*key, word] for word in words),
            sorted(
                (of, count)
                for (*its, of), count in sums.items()
                if tuple(its) == key and of not in words
            ),
        )
        for key in {tuple(its) for *its, _ in sums}
    )


def test_each_call_is_counted_by_each_step_and_by_name_and_token(issue: Issue) -> None:
    calls = all_kinds(issue)
    # In two parts, of which the second adds to the first.
    add_calls(calls[::2])
    add_calls(calls[1::2])
    assert counted() == of_rows(calls)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the plan is SQLite's")
def test_a_call_is_counted_without_reading_all_counts(issue: Issue) -> None:
    calls = all_kinds(issue)
    with CaptureQueriesContext(connection) as captured:
        add_calls(calls)
    reads = [query["sql"] for query in captured if " durations, " in query["sql"]]
    assert reads
    with connection.cursor() as cursor:
        for read in reads:
            cursor.execute(f"EXPLAIN QUERY PLAN {read}")
            plan = " ".join(str(step) for *_, step in cursor.fetchall())
            assert "SEARCH tools_app_callcount USING" in plan
            assert "SCAN tools_app_callcount" not in plan


def test_calls_that_were_there_before_are_counted_by_a_migration(issue: Issue) -> None:
    Call.objects.bulk_create(all_kinds(issue))
    migration.count(apps, connection.schema_editor())
    now, kept = timezone.now(), []
    for period in PERIODS.values():
        first = period.first_minute(now)
        rows = of_rows(Call.objects.filter(minute__gte=first))
        kept += [row for row in rows if row[0] == period.step_minutes]
    assert counted() == sorted(kept)


def test_the_migration_counts_by_the_steps_of_the_periods() -> None:
    """Whoever changes a period has a migration to write."""
    assert {
        period.step_minutes: period.length // timedelta(minutes=1)
        for period in PERIODS.values()
    } == migration.LENGTHS


def test_what_was_written_before_is_not_counted_again() -> None:
    records = [record() for _ in range(3)]
    write(records[:2])
    write(records, perhaps_written=True)
    assert counted() == of_rows(Call.objects.all())
    assert Call.objects.count() == 3


def test_a_call_that_cannot_be_written_is_not_counted() -> None:
    broken = record()._replace(client=None)  # type: ignore[arg-type]
    assert write([record(), broken, record()]) == 1
    assert counted() == of_rows(Call.objects.all())
    assert Call.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_counted_is_not_written() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tools_app_callcount RENAME TO away")
        try:
            with pytest.raises(DatabaseError):
                write([record()])
        finally:
            cursor.execute("ALTER TABLE away RENAME TO tools_app_callcount")
    assert Call.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_several_writers_lose_nothing() -> None:
    def written(writer: int) -> None:
        try:
            for number in range(20):
                name = f"tool{(writer + number) % 3}"
                write([record(name=name, duration_s=number), record()])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(written, range(4)))
    assert Call.objects.count() == 4 * 20 * 2
    assert counted() == of_rows(Call.objects.all())
