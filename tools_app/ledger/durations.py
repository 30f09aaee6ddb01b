"""Durations as buckets of a histogram, so that any database finds percentiles.

Each bucket is an eighth of a doubling, 9 % wider than the one below it. A percentile
is told as the middle of its bucket, which is at most 4.5 % from the exact one.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor, log2

PER_DOUBLING = 8
# What is faster is as fast; what is slower, about a month, as slow.
LEAST_MS = 0.01
MOST_MS = 2.0**31


def bucket_of(duration_ms: float) -> int:
    return floor(PER_DOUBLING * log2(min(max(duration_ms, LEAST_MS), MOST_MS)))


def middle_ms(bucket: int) -> float:
    return float(2 ** ((bucket + 0.5) / PER_DOUBLING))


def percentile_ms(histogram: Iterable[tuple[int, int]], share: float) -> float | None:
    """Return how many milliseconds ``share`` (over 0, at most 1) of all calls took at
    most: the nearest rank. None where there are none.

    ``histogram`` has buckets and how many calls are in each, in any order.
    """
    counted = sorted(histogram)
    rank = ceil(share * sum(count for _, count in counted))
    for bucket, count in counted:
        rank -= count
        if rank <= 0:
            return middle_ms(bucket) if count else None
    return None
