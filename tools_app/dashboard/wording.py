"""Figures and moments as a person reads them, in the language of the request."""

from __future__ import annotations

from datetime import datetime

from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, pgettext

from tools_app.ledger.periods import PERIODS, Period

# How a moment of each period is told: in its axis, and where one is pointed at.
_AXIS = {"hour": "H:i", "day": "H:i", "week": "D H:i", "month": "j M"}
_POINTED = {"hour": "H:i", "day": "H:i", "week": "D H:i", "month": "j M H:i"}


def number(value: float) -> str:
    return str(number_format(value, force_grouping=True))


def percent(part: int, whole: int) -> str:
    """Return a share, told finer where it is small; "" of nothing."""
    if not whole:
        return ""
    share = 100 * part / whole
    digits = 1 if 0 < share < 10 else 0
    return gettext("%s %%") % number_format(share, decimal_pos=digits)


def duration(ms: float | None) -> str:
    """Return a duration in the unit that suits it; a dash where there is none."""
    if ms is None:
        return "–"
    for limit, unit, per_unit in (
        (1000, gettext("%s ms"), 1),
        (60_000, gettext("%s s"), 1000),
        (float("inf"), gettext("%s min"), 60_000),
    ):
        if ms < limit:
            value = ms / per_unit
            digits = 0 if value >= 10 else 1 if value >= 1 else 2
            return unit % number_format(value, decimal_pos=digits)
    raise ValueError(f"{ms} is no duration")


def power_of_ten(power: int) -> str:
    """Return 10 to the power of ``power`` milliseconds, as an axis has it: whole
    wherever it can be.
    """
    if power >= 3:
        return gettext("%s s") % number(10 ** (power - 3))
    return gettext("%s ms") % number_format(10.0**power, decimal_pos=max(0, -power))


def age(seconds: float) -> str:
    """Return how long ago something was, in its largest unit."""
    for limit, unit, per_unit in (
        (60, pgettext("age", "%d s"), 1),
        (3600, pgettext("age", "%d min"), 60),
        (172_800, pgettext("age", "%d h"), 3600),
    ):
        if seconds < limit:
            return unit % (max(seconds, 0) // per_unit)
    return pgettext("age", "%d days") % (seconds // 86_400)


def axis_moment(at: datetime, period: str) -> str:
    return str(date_format(localtime(at), _AXIS[period]))


def span(at: datetime, period: str) -> str:
    """Return the step of time that begins ``at``: its begin and its end."""
    chosen: Period = PERIODS[period]
    begin = date_format(localtime(at), _POINTED[period])
    return f"{begin}–{date_format(localtime(at + chosen.step), 'H:i')}"
