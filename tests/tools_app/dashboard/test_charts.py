"""Figures as shapes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tools_app.dashboard.charts import (
    Rect,
    Series,
    Step,
    TimeChart,
    decades,
    line,
    rounded_up,
    share,
    stacked,
)


@pytest.mark.parametrize(
    ("count", "end"),
    [(0, 2), (1, 2), (2, 2), (3, 4), (7, 8), (9, 10), (10, 20), (61, 80), (4035, 6000)],
)
def test_an_axis_of_counts_ends_at_a_round_number_with_a_round_half(
    count: int, end: int
) -> None:
    assert rounded_up(count) == end


def test_the_bars_of_a_step_stand_upon_each_other() -> None:
    good, bad = stacked([[3, 0, 1], [1, 0, 0]], 4)
    assert good == [Rect("0.1", "25", "0.8", "75"), Rect("2.1", "75", "0.8", "25")]
    assert bad == [Rect("0.1", "0", "0.8", "25")]


@pytest.mark.parametrize(
    ("values", "powers"),
    [([], (0, 1)), ([1.0], (0, 1)), ([10.0], (1, 2)), ([0.0], (-2, -1))]
    + [([4.1, 18_000.0], (0, 5)), ([0.5, 100.0], (-1, 2))],
)
def test_an_axis_of_durations_has_whole_powers_of_ten(
    values: list[float], powers: tuple[int, int]
) -> None:
    assert decades(values) == powers


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ([], ""),
        ([None, None], ""),
        ([1.0, 100.0], "M0.5 100L0.5 100L1.5 0"),
        # A dot, then a gap.
        ([10.0, None, 100.0], "M0.5 50L0.5 50M2.5 0L2.5 0"),
    ],
)
def test_a_line_is_interrupted_where_there_is_nothing(
    values: Sequence[float | None], path: str
) -> None:
    assert line(values, 0, 2) == path


@pytest.mark.parametrize(
    ("value", "widest", "width"),
    [(0, 9, "0"), (None, 9, "0"), (0, 0, "0"), (9, 9, "100"), (1, 3, "33.4")]
    + [(1, 100_000, "1")],
)
def test_what_is_there_at_all_can_be_seen(
    value: float | None, widest: float, width: str
) -> None:
    assert share(value, widest) == width


def test_the_grid_has_a_line_at_each_word_of_the_axes() -> None:
    steps = [Step(n, str(n), ()) for n in range(8)]
    chart = TimeChart("c", "", "", [Series("done", "")], steps, ["4", "2", "0"], [])
    assert chart.grid == "M0 0H8M0 50H8M0 100H8M2 0V100M4 0V100M6 0V100"
