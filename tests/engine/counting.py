"""Rates without a clock: each is used up once, and for good."""

from __future__ import annotations

from collections import Counter

from mcp_transport.engine.rates import Use
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.protocol.errors import TooManyRequests

RETRY_AFTER_S = 7


class CountedOnce:
    """``spent`` counts by what, who and how often, ``trips`` how often it was asked;
    ``is_away`` is a cache that is.
    """

    def __init__(self) -> None:
        self.spent: Counter[tuple[str, str, str]] = Counter()
        self.trips = 0
        self.is_away = False

    async def spend(self, *uses: Use) -> None:
        if self.is_away:
            raise StoreUnavailable
        self.trips += 1
        self.spent.update((what, who, str(rate)) for what, who, rate in uses)
        for what, who, rate in uses:
            if self.spent[what, who, str(rate)] > rate.limit:
                raise TooManyRequests(f"more than {rate} requests", RETRY_AFTER_S)
