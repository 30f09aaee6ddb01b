"""What the ledger tells in figures, for any period, tool and token.

Figures are made of counts (tools_app.call_count), which are written with the calls and
are few however many calls there are: one for each step of time, and for each name and
token in it. The number of queries depends on nothing. A percentile needs no sorting:
durations are counted in buckets, an eighth of a doubling each, and the buckets are read
one after another. What is kept in memory is a figure for each point of a chart and for
each line of a table.

Each function takes a Selection, and is for a thread: none may run on the event loop.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, islice
from operator import attrgetter, itemgetter
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from tools_app.call import FAILURES, Call
from tools_app.call_count import CallCount
from tools_app.ledger.durations import percentile_ms
from tools_app.ledger.periods import PERIODS, Period
from tools_app.models import Token

MAX_LINES = 100


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
        return _moment(self.minutes[0])

    @property
    def minutes(self) -> range:
        """The minutes since 1970 at which the points begin."""
        last = int(self.now.timestamp()) // 60
        step = self.period.step_minutes
        return range(self.period.first_minute(self.now), last + 1, step)

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
    """Of some calls: how many, how many of them failed, how many of those because a
    limit was reached, and the milliseconds that half of them, and 95 in 100 of them,
    took at most; None where there were none.
    """

    calls: int
    errors: int
    limited: int
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class Point:
    """The figures of one step of time, which begins ``at``."""

    at: datetime
    figures: Figures


@dataclass(frozen=True, slots=True)
class Line:
    """The figures of one tool, or of one token.

    ``key`` is the name, or the token's primary key, None for calls without a token;
    ``label`` is what a person calls it, "" for no token and for one that is deleted.
    """

    key: Any
    label: str
    figures: Figures


NOTHING = Figures(0, 0, 0, None, None)


def totals(selection: Selection) -> Figures:
    """Return the figures of all calls of a selection. One query."""
    # They are all of one step's length, and so of one key.
    found = _keyed(counts(selection), "step_minutes")
    return next((figures for _, figures in found), NOTHING)


def over_time(selection: Selection) -> list[Point]:
    """Return a point for each step of the period, oldest first, those without calls
    included. One query.
    """
    found = dict(_keyed(counts(selection), "minute"))
    return [
        Point(_moment(minute), found.get(minute, NOTHING))
        for minute in selection.minutes
    ]


def per_name(selection: Selection, limit: int = MAX_LINES) -> list[Line]:
    """Return the ``limit`` tools, resources and prompts that were called most, most
    called first. One query.
    """
    return heapq.nlargest(limit, _names(selection), key=lambda line: line.figures.calls)


def slowest(selection: Selection, limit: int = 10) -> list[Line]:
    """Return the ``limit`` names whose calls take longest, by p95. One query."""
    return heapq.nlargest(
        limit, _names(selection), key=lambda line: line.figures.p95_ms or 0.0
    )


def per_token(selection: Selection, limit: int = MAX_LINES) -> list[Line]:
    """Return the ``limit`` tokens that were used most, most used first. Two queries."""
    found = _keyed(counts(selection, by_token=True), "token")
    first = heapq.nlargest(limit, found, key=lambda keyed: keyed[1].calls)
    tokens = Token.objects.filter(pk__in=[token for token, _ in first])
    names = dict(tokens.values_list("pk", "name"))
    return [
        Line(token or None, names.get(token, ""), figures) for token, figures in first
    ]


def recent_errors(selection: Selection, limit: int = 20) -> list[Call]:
    """Return the ``limit`` calls that failed last, newest first. One query for each
    outcome of a failure, with user and token.
    """
    calls = selection.calls().select_related("user", "token").defer("arguments")
    # Of each outcome an index has the newest first; of several together none has.
    newest = (calls.filter(outcome=outcome)[:limit] for outcome in FAILURES)
    failed = heapq.merge(*newest, key=attrgetter("at", "pk"), reverse=True)
    return list(islice(failed, limit))


def counts(
    selection: Selection, *, by_name: bool = False, by_token: bool = False
) -> QuerySet[CallCount]:
    """Return the counts of a selection, for each name and each token apart if wanted:
    those of one are so anyway.
    """
    found = CallCount.objects.filter(
        step_minutes=selection.period.step_minutes,
        by_name=by_name or selection.name is not None,
        by_token=by_token or selection.token is not None,
        minute__gte=selection.minutes[0],
        minute__lte=selection.minutes[-1],
    )
    if selection.name is not None:
        found = found.filter(name=selection.name)
    if selection.token is not None:
        found = found.filter(token=selection.token)
    return found


def _names(selection: Selection) -> Iterator[Line]:
    for name, figures in _keyed(counts(selection, by_name=True), "name"):
        yield Line(name, name, figures)


def _keyed(found: QuerySet[CallCount], key: str) -> Iterator[tuple[Any, Figures]]:
    """Yield what a field of counts is, in order, and the figures of those counts."""
    rows = found.order_by(key).values_list(
        key, "calls", "errors", "limited", "durations"
    )
    for value, of_value in groupby(rows.iterator(chunk_size=1000), itemgetter(0)):
        yield value, _figures(of_value)


def _figures(rows: Iterable[tuple[Any, int, int, int, dict[str, int]]]) -> Figures:
    calls = errors = limited = 0
    buckets: Counter[str] = Counter()
    for _, of_all, failed, refused, durations in rows:
        calls += of_all
        errors += failed
        limited += refused
        buckets.update(durations)
    histogram = [(int(bucket), count) for bucket, count in buckets.items()]
    return Figures(
        calls,
        errors,
        limited,
        percentile_ms(histogram, 0.5),
        percentile_ms(histogram, 0.95),
    )


def _moment(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)
