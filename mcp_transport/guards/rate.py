"""Rates, counted by django-ratelimit in Django's cache.

Its core is used and not its decorator, which runs no async view. The windows are
fixed ones, and a count is one atomic step of the cache: exact over all processes
that share one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.exceptions import ImproperlyConfigured

from mcp_transport.engine.rates import Rate
from mcp_transport.engine.server import RunSync
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.protocol.errors import TooManyRequests

logger = logging.getLogger("mcp_transport")

GROUP = "mcp"


class CacheRates:
    """Counts in the cache that ``RATELIMIT_USE_CACHE`` names, else the default one.

    A cache that has to be asked over a connection is asked on a thread. Raises
    ImproperlyConfigured without django-ratelimit.
    """

    def __init__(self, run_sync: RunSync) -> None:
        try:
            from django_ratelimit.core import get_usage
        except ImportError as error:
            raise ImproperlyConfigured(
                "settings.MCP has rates, and django-ratelimit, which counts them, is "
                "not installed: pip install 'django-mcp-transport[ratelimit]'"
            ) from error
        self._usage: Callable[..., dict[str, Any] | None] = get_usage
        cache = caches[getattr(settings, "RATELIMIT_USE_CACHE", "default")]
        self._is_near = isinstance(cache, LocMemCache)
        self._run_sync = run_sync

    async def spend(self, what: str, who: str, rate: Rate) -> None:
        """Count one time more. Raises TooManyRequests, or StoreUnavailable."""

        def count() -> dict[str, Any] | None:
            return self._usage(
                None,
                group=f"{GROUP}:{what}",
                key=lambda group, request: who,
                rate=(rate.limit, rate.period_s),
                increment=True,
            )

        try:
            usage = count() if self._is_near else await self._run_sync(count)
        except Exception as error:
            # Each cache has exceptions of its own, and its library more.
            logger.exception("the rates could not be counted")
            raise StoreUnavailable from error
        if usage is None:  # RATELIMIT_ENABLE is False
            return
        if usage["time_left"] < 0:  # the cache did not count, and did not raise
            raise StoreUnavailable
        if usage["should_limit"]:
            # A second at least: windows of one second have none left.
            retry_after_s = max(1, usage["time_left"])
            raise TooManyRequests(f"more than {rate} requests", retry_after_s)
