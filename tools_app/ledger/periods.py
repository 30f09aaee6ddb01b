"""The periods that the figures of the ledger are told of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Period:
    """The last ``length`` until now, and how long each point of its chart lasts."""

    length: timedelta
    step: timedelta

    @property
    def step_minutes(self) -> int:
        return self.step // MINUTE

    def first_minute(self, now: datetime) -> int:
        """Return the minute since 1970 at which its first point begins: a multiple of
        its step.
        """
        first = int((now - self.length).timestamp()) // 60
        return first - first % self.step_minutes


# By the word that a URL may have. Calls are counted by each of these steps: who
# changes one has them counted anew, in a migration.
PERIODS = {
    "hour": Period(timedelta(hours=1), timedelta(minutes=1)),
    "day": Period(timedelta(hours=24), timedelta(minutes=15)),
    "week": Period(timedelta(days=7), timedelta(hours=2)),
    "month": Period(timedelta(days=30), timedelta(hours=8)),
}
