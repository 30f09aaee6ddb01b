"""Percentiles from buckets are near the exact ones."""

from __future__ import annotations

from collections import Counter
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools_app.ledger.durations import LEAST_MS, MOST_MS, bucket_of, percentile_ms


@given(
    st.lists(st.floats(LEAST_MS, 10**7), min_size=1), st.sampled_from([0.5, 0.95, 1.0])
)
def test_a_percentile_is_near_the_exact_one(
    taken_ms: list[float], share: float
) -> None:
    exact = sorted(taken_ms)[ceil(share * len(taken_ms)) - 1]
    histogram = Counter(map(bucket_of, taken_ms))
    assert percentile_ms(histogram.items(), share) == pytest.approx(exact, rel=0.0451)


def test_what_took_no_time_or_for_ever_has_a_bucket() -> None:
    assert bucket_of(0) == bucket_of(LEAST_MS) == bucket_of(-1)
    assert bucket_of(1e300) == bucket_of(MOST_MS)


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile_ms([], 0.5) is None
