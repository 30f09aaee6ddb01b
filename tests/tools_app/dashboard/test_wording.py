"""Figures and moments in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import timezone, translation

from tools_app.dashboard.wording import (
    age,
    axis_moment,
    duration,
    number,
    percent,
    power_of_ten,
    span,
)

AT = datetime(2026, 3, 1, 14, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (None, "–"),
        (0.05, "0.05 ms"),
        (4.13, "4.1 ms"),
        (412.4, "412 ms"),
        (1500.0, "1.5 s"),
        (18_000.0, "18 s"),
        (150_000.0, "2.5 min"),
    ],
)
def test_a_duration_has_the_unit_that_suits_it(ms: float | None, said: str) -> None:
    assert duration(ms) == said


@pytest.mark.parametrize(
    ("power", "said"), [(-2, "0.01 ms"), (0, "1 ms"), (2, "100 ms"), (5, "100 s")]
)
def test_an_axis_has_whole_durations(power: int, said: str) -> None:
    assert power_of_ten(power) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-2, "0 s"), (59, "59 s"), (3599, "59 min"), (7300, "2 h"), (200_000, "2 days")],
)
def test_an_age_is_told_in_its_largest_unit(seconds: float, said: str) -> None:
    assert age(seconds) == said


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 0, ""), (0, 9, "0 %"), (1, 1000, "0.1 %"), (45, 90, "50 %")],
)
def test_a_share_is_told_finer_where_it_is_small(
    part: int, whole: int, said: str
) -> None:
    assert percent(part, whole) == said


def test_numbers_are_those_of_the_language() -> None:
    assert number(4035) == "4,035"
    with translation.override("de"):
        assert (number(4035), duration(4.13)) == ("4.035", "4,1 ms")


@pytest.mark.parametrize(
    ("period", "on_axis", "pointed_at"),
    [
        ("hour", "14:15", "14:15–14:16"),
        ("day", "14:15", "14:15–14:30"),
        ("week", "Sun 14:15", "Sun 14:15–16:15"),
        ("month", "1 Mar", "1 Mar 14:15–22:15"),
    ],
)
def test_a_moment_is_as_exact_as_its_period(
    period: str, on_axis: str, pointed_at: str
) -> None:
    with timezone.override("UTC"):
        assert axis_moment(AT, period) == on_axis
        assert span(AT, period) == pointed_at


def test_moments_are_those_of_the_time_zone() -> None:
    with timezone.override("Asia/Tokyo"):
        assert axis_moment(AT, "hour") == "23:15"
