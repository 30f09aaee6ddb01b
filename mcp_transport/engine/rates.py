"""How often something may happen: what is said of it, and who counts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

PERIODS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
MAX_LIMIT = 10**9
_RATE = re.compile(r"([0-9]{1,10})/([0-9]{0,5})([smhd])")


@dataclass(frozen=True, slots=True)
class Rate:
    """``limit`` times in each window of ``period_s`` seconds."""

    limit: int
    period_s: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``60/m``, or ``100/5m``: a number of times, and a window in seconds
        (s), minutes (m), hours (h) or days (d). Raises ValueError for anything else.
        """
        match = _RATE.fullmatch(text)
        limit = int(match[1]) if match else 0
        count = int(match[2] or 1) if match else 0
        if match is None or not 0 < limit <= MAX_LIMIT or not count:
            raise ValueError(
                f"{text!r} is no rate: write how often in which time, such as 60/m "
                "or 100/5m, with s, m, h or d"
            )
        return cls(limit, count * PERIODS_S[match[3]])

    def __str__(self) -> str:
        for unit, seconds in reversed(PERIODS_S.items()):
            count, rest = divmod(self.period_s, seconds)
            if count and not rest:
                return f"{self.limit}/{count if count > 1 else ''}{unit}"
        raise AssertionError("every period is a number of seconds")


class Use(NamedTuple):
    """That ``who`` does ``what``, and how often that may be."""

    what: str
    who: str
    rate: Rate


class Rates(Protocol):
    """Counts, over all processes that serve one site."""

    async def spend(self, *uses: Use) -> None:
        """Count one time more for each, all together.

        Raises TooManyRequests beyond any of the rates, with the longest of the
        waits, and StoreUnavailable where it cannot be counted: nobody is let
        through uncounted.
        """
        ...
