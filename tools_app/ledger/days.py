"""When a day begins."""

from __future__ import annotations

from datetime import date, datetime, time

from django.utils import timezone


def midnight(day: date) -> datetime:
    """Return when a day begins in the current time zone.

    Raises OverflowError for the last day that there is.
    """
    return timezone.make_aware(datetime.combine(day, time.min))
