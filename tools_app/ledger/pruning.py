"""What is older than it need be leaves the ledger: calls, and counts of them."""

from __future__ import annotations

import logging
from datetime import datetime
from itertools import product
from typing import Any

from django.db import router
from django.db.models import QuerySet
from django.utils import timezone

from tools_app.ledger.counting import GROUPINGS
from tools_app.ledger.periods import PERIODS
from tools_app.models import Call, CallCount

CHUNK_ROWS = 5000

logger = logging.getLogger("tools_app.ledger")


def count(before: datetime) -> int:
    """Return how many calls began before a moment."""
    return Call.objects.filter(at__lt=before).count()


def prune(before: datetime) -> int:
    """Delete the calls that began before a moment; return how many.

    The counts that no period has any more are deleted too. Those that one has stay,
    whatever becomes of the calls.
    """
    calls = Call.objects.using(router.db_for_write(Call))
    deleted = _delete(calls.filter(at__lt=before), "at")
    logger.info("%d calls from before %s were deleted.", deleted, before.isoformat())
    _prune_counts()
    return deleted


def _prune_counts() -> None:
    counts = CallCount.objects.using(router.db_for_write(Call))
    now = timezone.now()
    for period, (by_name, by_token) in product(PERIODS.values(), GROUPINGS):
        old = counts.filter(
            step_minutes=period.step_minutes,
            by_name=by_name,
            by_token=by_token,
            minute__lt=period.first_minute(now),
        )
        _delete(old, "minute")


def _delete(old: QuerySet[Any], age: str) -> int:
    """Delete rows by parts, those first whose field ``age`` is least, each part in a
    short transaction of its own, so that the ledger is written meanwhile.
    """
    ages = old.order_by(age).values_list(age, flat=True)
    deleted, more = 0, True
    while more:
        # Of a whole part the last row: what is as old goes with it.
        last = next(iter(ages[CHUNK_ROWS - 1 : CHUNK_ROWS]), None)
        more = last is not None
        part = old.filter(**{f"{age}__lte": last}) if more else old
        deleted += part.delete()[0]
    return deleted
