"""Rates, counted in Django's cache as django-ratelimit does.

Its windows and keys are used, so that its ``get_usage`` tells of the same counts;
but not its decorator, which runs no async view, and not ``get_usage`` to count
with, which asks for one rate at a time, and twice for each. The windows are fixed
ones, and a count is one atomic step of the cache: exact over all processes that
share one.
"""

from __future__ import annotations

import logging
import time
from functools import lru_cache

from django.conf import settings
from django_ratelimit.core import (
    ALL,
    EXPIRATION_FUDGE,
    _get_window,
    _make_cache_key,
)

from mcp_transport.engine.rates import Use
from mcp_transport.engine.server import RunSync
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.guards.counters import Count, counter_in
from mcp_transport.protocol.errors import TooManyRequests

logger = logging.getLogger("mcp_transport")

GROUP = "mcp"
# Of so many windows the keys are remembered, which are digests.
MAX_KEYS = 4096


class CacheRates:
    """Counts in the cache that ``RATELIMIT_USE_CACHE`` names, else the default one.

    A cache that has to be asked over a connection is asked on a thread.
    """

    def __init__(self, run_sync: RunSync) -> None:
        self._is_on: bool = getattr(settings, "RATELIMIT_ENABLE", True)
        alias = getattr(settings, "RATELIMIT_USE_CACHE", "default")
        self._count = counter_in(alias, run_sync)
        self._key = lru_cache(MAX_KEYS)(_make_cache_key)

    async def spend(self, *uses: Use) -> None:
        """Count one time more for each. Raises TooManyRequests, or StoreUnavailable."""
        if not self._is_on:
            return
        ends_s = [_get_window(use.who, use.rate.period_s) for use in uses]
        try:
            counted = await self._count(list(map(self._counted_as, uses, ends_s)))
        except Exception as error:
            # Each cache has exceptions of its own, and its library more.
            logger.warning("the rates could not be counted: %r", error)
            raise StoreUnavailable from error
        over = [
            (end_s, use.rate)
            for use, end_s, count in zip(uses, ends_s, counted, strict=True)
            if count > use.rate.limit
        ]
        if over:
            end_s, rate = max(over, key=lambda refused: refused[0])
            # The last second is still the window's own.
            retry_after_s = max(1, end_s - int(time.time()) + 1)
            raise TooManyRequests(f"more than {rate} requests", retry_after_s)

    def _counted_as(self, use: Use, end_s: int) -> Count:
        limit, period_s = use.rate.limit, use.rate.period_s
        key = self._key(f"{GROUP}:{use.what}", end_s, (limit, period_s), use.who, ALL)
        return Count(key, period_s + EXPIRATION_FUDGE)
