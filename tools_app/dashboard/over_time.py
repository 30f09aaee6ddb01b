"""The charts of a period: how many calls and errors, and how long calls took."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.utils.translation import gettext, ngettext

from tools_app.dashboard.charts import (
    QUARTERS,
    Series,
    Step,
    TimeChart,
    decades,
    line,
    rounded_up,
    stacked,
)
from tools_app.dashboard.choice import LABELS
from tools_app.dashboard.wording import (
    axis_moment,
    duration,
    number,
    power_of_ten,
    span,
)
from tools_app.ledger.statistics import Figures, Point


def calls(period: str, points: Sequence[Point]) -> TimeChart:
    """Draw a bar for each step, upon it the part that failed."""
    errors = [point.figures.errors for point in points]
    others = [point.figures.calls - point.figures.errors for point in points]
    end = rounded_up(max(point.figures.calls for point in points))
    good, bad = stacked([others, errors], end)
    total = sum(point.figures.calls for point in points)
    summary = ngettext(
        "Last %(period)s: %(calls)s call, of which %(errors)s failed.",
        "Last %(period)s: %(calls)s calls, of which %(errors)s failed.",
        total,
    )
    told = {
        "period": LABELS[period],
        "calls": number(total),
        "errors": number(sum(errors)),
    }
    return TimeChart(
        name="calls",
        title=gettext("Calls and errors"),
        summary=summary % told,
        series=[
            Series("done", gettext("calls"), bars=good),
            Series("error", gettext("errors"), bars=bad),
        ],
        steps=_steps(period, points, lambda of: (number(of.calls), number(of.errors))),
        heights=[number(end), number(end // 2), "0"],
        moments=_moments(period, points),
    )


def durations(period: str, points: Sequence[Point]) -> TimeChart:
    """Draw a line for each percentile, interrupted where nothing was called."""
    halves = [point.figures.p50_ms for point in points]
    mosts = [point.figures.p95_ms for point in points]
    known = [ms for ms in (*halves, *mosts) if ms is not None]
    least, most = decades(known)
    return TimeChart(
        name="durations",
        title=gettext("Duration of calls (logarithmic)"),
        summary=gettext("Last %(period)s: p95 was %(longest)s at its highest.")
        % {"period": LABELS[period], "longest": duration(max(known, default=None))},
        series=[
            Series("p50", "p50", path=line(halves, least, most)),
            Series("p95", "p95", path=line(mosts, least, most)),
        ],
        steps=_steps(
            period, points, lambda of: (duration(of.p50_ms), duration(of.p95_ms))
        ),
        heights=[power_of_ten(power) for power in range(most, least - 1, -1)],
        moments=_moments(period, points),
    )


def _steps(
    period: str,
    points: Sequence[Point],
    cells: Callable[[Figures], tuple[str, ...]],
) -> list[Step]:
    return [
        Step(place, span(point.at, period), cells(point.figures))
        for place, point in enumerate(points)
    ]


def _moments(period: str, points: Sequence[Point]) -> list[str]:
    quarters = [points[len(points) * n // QUARTERS] for n in range(QUARTERS)]
    return [axis_moment(point.at, period) for point in quarters]
