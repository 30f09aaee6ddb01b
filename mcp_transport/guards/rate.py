"""Rates, counted by django-ratelimit in Django's cache.

Its core is used and not its decorator, which runs no async view. The windows are
fixed ones, and a count is one atomic step of the cache: exact over all processes
that share one.
"""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django_ratelimit.core import get_usage

from mcp_transport.engine.rates import Rate
from mcp_transport.engine.server import RunSync
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.protocol.errors import TooManyRequests

logger = logging.getLogger("mcp_transport")

GROUP = "mcp"


class CacheRates:
    """Counts in the cache that ``RATELIMIT_USE_CACHE`` names, else the default one.

    A cache that has to be asked over a connection is asked on a thread.
    """

    def __init__(self, run_sync: RunSync) -> None:
        cache = caches[getattr(settings, "RATELIMIT_USE_CACHE", "default")]
        self._is_near = isinstance(cache, LocMemCache)
        self._run_sync = run_sync

    async def spend(self, what: str, who: str, rate: Rate) -> None:
        """Count one time more. Raises TooManyRequests, or StoreUnavailable."""

        def count() -> dict[str, Any] | None:
            usage: dict[str, Any] | None = get_usage(
                None,
                group=f"{GROUP}:{what}",
                key=lambda group, request: who,
                rate=(rate.limit, rate.period_s),
                increment=True,
            )
            return usage

        try:
            usage = count() if self._is_near else await self._run_sync(count)
        except Exception as error:
            # Each cache has exceptions of its own, and its library more.
            logger.warning("the rates could not be counted: %r", error)
            raise StoreUnavailable from error
        if usage is None:  # RATELIMIT_ENABLE is False
            return
        if not usage["limit"]:  # the cache did not count, and did not raise
            raise StoreUnavailable
        if usage["should_limit"]:
            # The last second is still the window's own.
            retry_after_s = max(1, usage["time_left"] + 1)
            raise TooManyRequests(f"more than {rate} requests", retry_after_s)
