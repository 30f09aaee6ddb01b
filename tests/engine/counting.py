"""Rates without a clock: each is used up once, and for good."""

from __future__ import annotations

from collections import Counter

from mcp_transport.engine.rates import Rate
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.protocol.errors import TooManyRequests

RETRY_AFTER_S = 7


class CountedOnce:
    """``spent`` counts by what, who and how often; ``is_away`` is a cache that is."""

    def __init__(self) -> None:
        self.spent: Counter[tuple[str, str, str]] = Counter()
        self.is_away = False

    async def spend(self, what: str, who: str, rate: Rate) -> None:
        if self.is_away:
            raise StoreUnavailable
        counted = (what, who, str(rate))
        self.spent[counted] += 1
        if self.spent[counted] > rate.limit:
            raise TooManyRequests(f"more than {rate} requests", RETRY_AFTER_S)
