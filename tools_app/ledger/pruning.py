"""What is older than it need be leaves the ledger."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import router

from tools_app.models import Call

CHUNK_ROWS = 5000

logger = logging.getLogger("tools_app.ledger")


def count(before: datetime) -> int:
    """Return how many calls began before a moment."""
    return Call.objects.filter(at__lt=before).count()


def prune(before: datetime) -> int:
    """Delete the calls that began before a moment; return how many.

    It is done by parts, oldest first, each a short transaction of its own, so that
    the ledger is written meanwhile.
    """
    calls = Call.objects.using(router.db_for_write(Call))
    old = calls.filter(at__lt=before)
    times = old.order_by("at").values_list("at", flat=True)
    deleted, more = 0, True
    while more:
        # Of a whole part the last row: what is as old goes with it.
        last = next(iter(times[CHUNK_ROWS - 1 : CHUNK_ROWS]), None)
        more = last is not None
        part = calls.filter(at__lte=last) if more else old
        deleted += part.delete()[0]
    logger.info("%d calls from before %s were deleted.", deleted, before.isoformat())
    return deleted
