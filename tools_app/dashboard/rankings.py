"""The rankings of a period: tools and tokens, each with a bar to its figures."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext

from tools_app.dashboard.charts import Rank, Ranking, share
from tools_app.dashboard.choice import Choice
from tools_app.dashboard.wording import duration, number, percent
from tools_app.ledger.statistics import Line


def most_called(choice: Choice, lines: Sequence[Line]) -> Ranking:
    return Ranking(
        name="most-called",
        title=gettext("Most called"),
        headers=[
            gettext("Tool, resource or prompt"),
            gettext("Calls"),
            gettext("Errors"),
        ],
        ranks=[
            Rank(
                label=line.label,
                query=choice.but(tool=line.key),
                bars=_calls(line, lines),
                cells=_counted(line),
            )
            for line in lines
        ],
        nothing=gettext("Nothing was called."),
    )


def slowest(choice: Choice, lines: Sequence[Line]) -> Ranking:
    longest = max((line.figures.p95_ms or 0 for line in lines), default=0)
    return Ranking(
        name="slowest",
        title=gettext("Slowest"),
        headers=[gettext("Tool, resource or prompt"), "p50", "p95"],
        ranks=[
            Rank(
                label=line.label,
                query=choice.but(tool=line.key),
                bars=[
                    ("p95", share(line.figures.p95_ms, longest)),
                    ("p50", share(line.figures.p50_ms, longest)),
                ],
                cells=[duration(line.figures.p50_ms), duration(line.figures.p95_ms)],
            )
            for line in lines
        ],
        nothing=gettext("Nothing was called."),
    )


def tokens(choice: Choice, lines: Sequence[Line]) -> Ranking:
    return Ranking(
        name="by-token",
        title=gettext("By token"),
        headers=[gettext("Token"), gettext("Calls"), gettext("Errors"), "p50", "p95"],
        ranks=[
            Rank(
                label=_token(line),
                query=choice.but(token=line.key) if line.key else "",
                bars=_calls(line, lines),
                cells=[
                    *_counted(line),
                    duration(line.figures.p50_ms),
                    duration(line.figures.p95_ms),
                ],
            )
            for line in lines
        ],
        nothing=gettext("No token was used."),
    )


def limits(choice: Choice, lines: Sequence[Line]) -> Ranking:
    most = max((line.figures.limited for line in lines), default=0)
    return Ranking(
        name="limits",
        title=gettext("Rate limits hit"),
        headers=[gettext("Token"), gettext("Refused")],
        ranks=[
            Rank(
                label=_token(line),
                query=choice.but(token=line.key) if line.key else "",
                bars=[("limited", share(line.figures.limited, most))],
                cells=[number(line.figures.limited)],
            )
            for line in lines
        ],
        nothing=gettext("Nobody called more often than allowed."),
    )


def _token(line: Line) -> str:
    if line.key is None:
        return gettext("no token")
    return line.label or gettext("deleted")


def _calls(line: Line, lines: Sequence[Line]) -> list[tuple[str, str]]:
    most = max(other.figures.calls for other in lines)
    calls, errors = line.figures.calls, line.figures.errors
    bars = [("done", share(calls, most))]
    return [*bars, ("error", share(errors, most))] if errors else bars


def _counted(line: Line) -> list[str]:
    calls, errors = line.figures.calls, line.figures.errors
    return [number(calls), percent(errors, calls) if errors else "0"]
