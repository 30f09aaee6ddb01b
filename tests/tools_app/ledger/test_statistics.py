"""The figures of the ledger are those of its rows, by as many queries as ever."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mcp_transport.engine.observing import Outcome
from tests.tools_app.conftest import Issue
from tests.tools_app.ledger.calls import add_calls, call
from tools_app.call import FAILURES
from tools_app.ledger.periods import PERIODS
from tools_app.ledger.statistics import (
    NOTHING,
    Selection,
    over_time,
    per_name,
    per_token,
    recent_errors,
    slowest,
    totals,
)

NOW = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)

pytestmark = pytest.mark.django_db

# And how many queries each makes.
FUNCTIONS: dict[Callable[[Selection], Any], int] = {
    totals: 1,
    over_time: 1,
    per_name: 1,
    per_token: 2,
    slowest: 1,
    recent_errors: len(FAILURES),
}


def made(count: int = 1, **given: Any) -> None:
    ago = given.pop("ago", timedelta())
    rows = []
    for _ in range(count):
        row = call(**given)
        row.at = NOW - ago
        row.minute = int(row.at.timestamp()) // 60
        rows.append(row)
    add_calls(rows)


def selection(period: str = "hour", **chosen: Any) -> Selection:
    return Selection(PERIODS[period], NOW, **chosen)


@pytest.mark.parametrize("period", PERIODS)
def test_a_chart_has_a_point_for_each_step(period: str) -> None:
    chosen = selection(period)
    step = chosen.period.step
    made(3, duration_ms=10, ago=step)
    made(duration_ms=500, ago=step, outcome=Outcome.ERROR)
    made(duration_ms=1, ago=chosen.period.length + 2 * step)
    points = over_time(chosen)
    assert len(points) == chosen.period.length // step + 1
    assert [b.at - a.at for a, b in zip(points, points[1:], strict=False)] == [step] * (
        len(points) - 1
    )
    assert points[0].at == chosen.begins_at
    assert points[-1].at <= NOW < points[-1].at + step
    (found,) = [point for point in points if point.figures.calls]
    assert found.at <= NOW - step < found.at + step
    assert (found.figures.calls, found.figures.errors) == (4, 1)
    assert found.figures.p50_ms == pytest.approx(10, rel=0.05)
    assert found.figures.p95_ms == pytest.approx(500, rel=0.05)


def test_of_no_calls_all_is_nothing() -> None:
    chosen = selection()
    assert totals(chosen) == NOTHING
    assert {point.figures for point in over_time(chosen)} == {NOTHING}
    assert per_name(chosen) == per_token(chosen) == slowest(chosen) == []
    assert list(recent_errors(chosen)) == []


def test_names_are_listed_by_calls_and_by_how_slow_they_are() -> None:
    made(3, name="often", duration_ms=1, ago=timedelta(minutes=3))
    made(1, name="often", outcome=Outcome.TOOL_ERROR, ago=timedelta(minutes=2))
    made(2, name="slow", duration_ms=9000)
    made(1, name="once", duration_ms=5, outcome=Outcome.CANCELLED)
    often, slow, once = per_name(selection())
    assert (often.key, often.label) == ("often", "often")
    assert (often.figures.calls, often.figures.errors) == (4, 1)
    assert (slow.key, slow.figures.calls) == ("slow", 2)
    assert once.figures.errors == 0
    assert [line.key for line in per_name(selection(), 1)] == ["often"]
    assert [line.key for line in slowest(selection(), 2)] == ["slow", "often"]


def test_tokens_are_listed_and_so_are_calls_without_one(issue: Issue) -> None:
    one, other = issue(name="laptop")[0], issue(name="phone")[0]
    made(2, token=one)
    made(3, token=other, outcome=Outcome.TIMED_OUT)
    made(1)
    lines = per_token(selection())
    assert [(line.key, line.label, line.figures.calls) for line in lines] == [
        (other.pk, "phone", 3),
        (one.pk, "laptop", 2),
        (None, "", 1),
    ]
    assert lines[0].figures.errors == 3


def test_a_token_that_was_deleted_keeps_its_calls(issue: Issue) -> None:
    token, _ = issue()
    made(2, token=token)
    key = token.pk
    token.delete()
    [line] = per_token(selection())
    assert (line.key, line.label, line.figures.calls) == (key, "", 2)
    assert totals(selection(token=key)).calls == 2


def test_what_was_refused_at_a_limit_is_told_apart() -> None:
    made(2, outcome=Outcome.ERROR, error_code=429)
    made(1, outcome=Outcome.ERROR, error_code=-32602)
    # The tool's own words.
    made(1, outcome=Outcome.TOOL_ERROR, error_code=429)
    made(3)
    figures = totals(selection())
    assert (figures.calls, figures.errors, figures.limited) == (7, 4, 2)


def test_a_tool_or_a_token_may_be_chosen(issue: Issue) -> None:
    token, _ = issue()
    made(2, name="one", token=token)
    made(3, name="other", token=token)
    made(4, name="one")
    assert totals(selection()).calls == 9
    assert totals(selection(name="one")).calls == 6
    assert totals(selection(token=token.pk)).calls == 5
    assert totals(selection(name="one", token=token.pk)).calls == 2


def test_failures_are_listed_newest_first() -> None:
    for number, outcome in enumerate(Outcome):
        made(outcome=outcome, name=outcome.value, ago=timedelta(minutes=number))
    made(name="before", outcome=Outcome.ERROR, ago=timedelta(hours=3))
    failed = [row.name for row in recent_errors(selection())]
    assert failed == ["tool_error", "error", "timed_out"]
    assert [row.name for row in recent_errors(selection(), 1)] == ["tool_error"]


@pytest.mark.parametrize(("function", "queries"), FUNCTIONS.items())
def test_more_rows_are_no_more_queries(
    function: Callable[[Selection], Any], queries: int, issue: Issue
) -> None:
    counts = []
    for number in (2, 40):
        for index in range(number):
            made(10, name=f"tool{index}", duration_ms=index + 1, token=issue()[0])
        with CaptureQueriesContext(
            connection,
        ) as captured:
            found = function(selection())
            if function is recent_errors:
                for row in found:
                    assert row.token is not None
        counts.append(len(captured))
    assert counts == [queries, queries]


def test_an_unknown_period_is_refused() -> None:
    with pytest.raises(KeyError):
        Selection.of("fortnight")
    assert Selection.of("day", name="one").name == "one"
