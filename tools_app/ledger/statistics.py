"""What the ledger tells in figures, for any period, tool and token.

Everything is counted in the database, by a number of queries that depends on nothing.
A percentile needs no sorting there: rows are grouped by ``duration_bucket``, an eighth
of a doubling, and the groups are read one after another. What is kept in memory is a
figure for each point of a chart and for each line of a table, whatever the number of
calls.

Each function takes a Selection, and is for a thread: none may run on the event loop.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from django.db.models import (
    Case,
    Count,
    F,
    IntegerField,
    Max,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from tools_app.call import FAILURES, Call
from tools_app.ledger.durations import percentile_ms

MINUTE = timedelta(minutes=1)
MAX_LINES = 100


@dataclass(frozen=True, slots=True)
class Period:
    """The last ``length`` until now, and how long each point of its chart lasts."""

    length: timedelta
    step: timedelta


# By the word that a URL may have.
PERIODS = {
    "hour": Period(timedelta(hours=1), timedelta(minutes=1)),
    "day": Period(timedelta(hours=24), timedelta(minutes=15)),
    "week": Period(timedelta(days=7), timedelta(hours=2)),
    "month": Period(timedelta(days=30), timedelta(hours=8)),
}


@dataclass(frozen=True, slots=True)
class Selection:
    """The calls of ``period`` before ``now``, of the tool ``name`` and of the token
    with the primary key ``token``, unless they are None.
    """

    period: Period
    now: datetime
    name: str | None = None
    token: int | None = None

    @classmethod
    def of(
        cls, period: str, *, name: str | None = None, token: int | None = None
    ) -> Selection:
        """Raises KeyError for a word that is not in PERIODS."""
        return cls(PERIODS[period], timezone.now(), name, token)

    @property
    def begins_at(self) -> datetime:
        """When the first point of a chart begins: at a multiple of its length."""
        return _moment(self.first_minute)

    @property
    def step_minutes(self) -> int:
        return self.period.step // MINUTE

    @property
    def first_minute(self) -> int:
        """The minute since 1970 at which the first point begins."""
        first = int((self.now - self.period.length).timestamp()) // 60
        return first - first % self.step_minutes

    def calls(self) -> QuerySet[Call]:
        """Return the calls themselves, newest first."""
        chosen = Call.objects.filter(at__gte=self.begins_at, at__lte=self.now)
        if self.name is not None:
            chosen = chosen.filter(name=self.name)
        if self.token is not None:
            chosen = chosen.filter(token=self.token)
        return chosen


@dataclass(frozen=True, slots=True)
class Figures:
    """Of some calls: how many, how many of them failed, and the milliseconds that half
    of them, and 95 in 100 of them, took at most; None where there were none.
    """

    calls: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class Point:
    """The figures of one step of time, which begins ``at``."""

    at: datetime
    figures: Figures


@dataclass(frozen=True, slots=True)
class Line:
    """The figures of one tool, or of one token, and when it was called last.

    ``key`` is the name, or the token's primary key, None for calls without a token;
    ``label`` is what a person calls it, "" for no token.
    """

    key: Any
    label: str
    figures: Figures
    last_at: datetime


NOTHING = Figures(0, 0, None, None)


def totals(selection: Selection) -> Figures:
    """Return the figures of all calls of a selection. One query."""
    return _figures(_grouped(selection))


def over_time(selection: Selection) -> list[Point]:
    """Return a point for each step of the period, oldest first, those without calls
    included. One query.
    """
    step = selection.step_minutes
    groups = _grouped(selection, step_at=F("minute") - F("minute") % step)
    found = {
        minute: _figures(of_step)
        for minute, of_step in groupby(groups, key=lambda group: group["step_at"])
    }
    last = int(selection.now.timestamp()) // 60
    return [
        Point(_moment(minute), found.get(minute, NOTHING))
        for minute in range(selection.first_minute, last + 1, step)
    ]


def per_name(selection: Selection, limit: int = MAX_LINES) -> list[Line]:
    """Return the ``limit`` tools, resources and prompts that were called most, most
    called first. One query.
    """
    lines = _lines(_grouped(selection, key=F("name")))
    return heapq.nlargest(limit, lines, key=_calls)


def slowest(selection: Selection, limit: int = 10) -> list[Line]:
    """Return the ``limit`` names whose calls take longest, by p95. One query."""
    lines = _lines(_grouped(selection, key=F("name")))
    return heapq.nlargest(limit, lines, key=lambda line: line.figures.p95_ms or 0.0)


def per_token(selection: Selection, limit: int = MAX_LINES) -> list[Line]:
    """Return the ``limit`` tokens that were used most, most used first. One query."""
    # No token has the key 0, and NULL is sorted in each database as it likes.
    groups = _grouped(
        selection, key=Coalesce("token", 0), label=Coalesce("token__name", Value(""))
    )
    return heapq.nlargest(limit, _lines(groups), key=_calls)


def recent_errors(selection: Selection, limit: int = 20) -> QuerySet[Call]:
    """Return the ``limit`` calls that failed last, newest first. One query, with user
    and token.
    """
    failed = selection.calls().filter(outcome__in=FAILURES)
    return failed.select_related("user", "token").defer("arguments")[:limit]


def _grouped(selection: Selection, **keys: Any) -> Iterator[dict[str, Any]]:
    """Yield groups of calls of the same keys and duration, in the order of the keys."""
    fails = Case(When(outcome__in=FAILURES, then=1), output_field=IntegerField())
    groups: Any = (
        selection.calls()
        .values(**keys, bucket=F("duration_bucket"))
        .annotate(calls=Count("pk"), errors=Count(fails), last_at=Max("at"))
        .order_by(*keys, "bucket")
    )
    found: Iterator[dict[str, Any]] = groups.iterator(chunk_size=1000)
    return found


def _lines(groups: Iterable[dict[str, Any]]) -> Iterator[Line]:
    """Yield a line for each key, as its groups come to their end."""
    for key, of_key in groupby(groups, key=lambda group: group["key"]):
        whole = list(of_key)
        label = whole[0].get("label", str(key))
        last_at = max(group["last_at"] for group in whole)
        yield Line(key or None, label, _figures(whole), last_at)


def _figures(groups: Iterable[dict[str, Any]]) -> Figures:
    histogram: dict[int, int] = {}
    calls = errors = 0
    for group in groups:
        calls += group["calls"]
        errors += group["errors"]
        histogram[group["bucket"]] = group["calls"]
    return Figures(
        calls,
        errors,
        percentile_ms(histogram.items(), 0.5),
        percentile_ms(histogram.items(), 0.95),
    )


def _calls(line: Line) -> int:
    return line.figures.calls


def _moment(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)
