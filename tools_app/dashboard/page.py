"""The figures of the ledger, as the page shows them: sums, charts and rankings.

The number of queries depends on nothing: it is that of the functions of the statistics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from mcp_transport.conf import get_conf
from tools_app.call import Call
from tools_app.dashboard import over_time, rankings
from tools_app.dashboard.choice import LABELS, Choice
from tools_app.dashboard.wording import duration, number, percent
from tools_app.ledger import statistics
from tools_app.ledger.statistics import Figures, Line
from tools_app.models import Token

LEDGER = "tools_app.ledger.Ledger"
# Among so many the slowest are looked for, and who hit a limit: to ask for them apart
# costs as much again.
MOST_LINES = 10_000
MOST_RANKS = 10
MOST_ERRORS = 10


@dataclass(frozen=True, slots=True)
class Sum:
    """One figure of the whole period; ``kind`` is its class of CSS."""

    label: str
    value: str
    note: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    call: Call
    duration: str


def figures(choice: Choice) -> dict[str, Any]:
    """Return the context of the page's figures."""
    selection = choice.selection
    totals = statistics.totals(selection)
    points = statistics.over_time(selection)
    names = statistics.per_name(selection, MOST_LINES)
    tokens = statistics.per_token(selection, MOST_LINES)
    chosen = _chosen(choice)
    is_empty = not totals.calls
    return {
        "choice": choice,
        "period": LABELS[choice.period],
        "chosen": chosen,
        "no_calls": is_empty,
        "no_ledger": (is_empty and not chosen and LEDGER not in get_conf().observers),
        "sums": _sums(totals),
        "charts": [
            over_time.calls(choice.period, points),
            over_time.durations(choice.period, points),
        ],
        "rankings": [
            rankings.most_called(choice, names[:MOST_RANKS]),
            rankings.slowest(choice, _slowest_first(names)[:MOST_RANKS]),
            rankings.tokens(choice, tokens[:MOST_RANKS]),
            rankings.limits(choice, _most_limited(tokens)[:MOST_RANKS]),
        ],
        "errors": [
            Failed(call, duration(call.duration_ms))
            for call in statistics.recent_errors(selection, MOST_ERRORS)
        ],
    }


def _slowest_first(lines: Sequence[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: line.figures.p95_ms or 0, reverse=True)


def _most_limited(lines: Sequence[Line]) -> list[Line]:
    limited = [line for line in lines if line.figures.limited]
    return sorted(limited, key=lambda line: line.figures.limited, reverse=True)


def _chosen(choice: Choice) -> list[tuple[str, str, str]]:
    """Return what the figures are limited to: what it is, its name, and the query
    that asks for everything again.
    """
    chosen = []
    if choice.tool is not None:
        chosen.append((gettext("Tool"), choice.tool, choice.but(tool=None)))
    if choice.token is not None:
        named = Token.objects.filter(pk=choice.token).values_list("name", flat=True)
        label = named.first() or gettext("deleted")
        chosen.append((gettext("Token"), label, choice.but(token=None)))
    return chosen


def _sums(totals: Figures) -> list[Sum]:
    return [
        Sum(gettext("Calls"), number(totals.calls)),
        Sum(
            gettext("Errors"),
            number(totals.errors),
            percent(totals.errors, totals.calls),
            "error" if totals.errors else "",
        ),
        Sum(gettext("Half took at most"), duration(totals.p50_ms), "p50", "p50"),
        Sum(gettext("95 % took at most"), duration(totals.p95_ms), "p95", "p95"),
        Sum(
            gettext("Rate limits hit"),
            number(totals.limited),
            percent(totals.limited, totals.calls),
            "limited" if totals.limited else "",
        ),
    ]
