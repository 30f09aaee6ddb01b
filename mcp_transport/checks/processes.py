"""What several processes have to share."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.checks import CheckMessage, Error, Warning
from django.utils.module_loading import import_string

from mcp_transport.checks.production import in_production
from mcp_transport.conf import RATES, Conf, read_settings
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.stores import MEMORY, server_problems

# What gunicorn, uvicorn and many hosts read.
COUNT_VARIABLE = "WEB_CONCURRENCY"


def check_store(**_: Any) -> list[CheckMessage]:
    """Ask the store's server whether it keeps what it is given."""
    conf, problems = read_settings()
    if problems:
        return []
    try:
        found = server_problems(conf.store)
    except StoreUnavailable:
        return [
            Warning(
                'The server that MCP["STORE"] names could not be asked.',
                hint="Start it, or run this check where it can be reached.",
                id="mcp_transport.W002",
            )
        ]
    return [
        Error(
            problem,
            hint="deploy/redis.conf is set so. CONFIG SET changes it at once, until "
            "Redis starts anew.",
            id="mcp_transport.E006",
        )
        for problem in found
    ]


def check_processes(**_: Any) -> list[CheckMessage]:
    conf, _problems = read_settings()
    if conf.store != MEMORY or not _several_declared():
        return []
    return [
        Error(
            f"The environment variable {COUNT_VARIABLE} declares "
            f"{os.environ[COUNT_VARIABLE]} processes, and each would keep sessions "
            "for itself: clients would lose theirs from one request to the next.",
            hint='Set MCP["STORE"] = "redis://...", or run one process.',
            id="mcp_transport.E009",
        )
    ]


def check_counts(**_: Any) -> list[CheckMessage]:
    """Hold the cache in which rates are counted to what it is for."""
    conf, _problems = read_settings()
    if not any(getattr(conf, name) for name in RATES):
        return []
    alias = getattr(settings, "RATELIMIT_USE_CACHE", "default")
    found = [
        (
            _wrong_cache(alias, conf),
            f'Set CACHES["{alias}"] to {{"BACKEND": "django.core.cache.backends.redis.'
            'RedisCache", "LOCATION": "redis://..."}, or name another of CACHES by '
            "RATELIMIT_USE_CACHE.",
        )
    ]
    if not getattr(settings, "RATELIMIT_ENABLE", True) and in_production():
        said = "RATELIMIT_ENABLE is off: no rate bounds anybody."
        found.append((said, 'Take it out; a rate that you do not want is "".'))
    return [
        Error(said, hint=hint, id="mcp_transport.E010") for said, hint in found if said
    ]


def _wrong_cache(alias: str, conf: Conf) -> str | None:
    if alias not in settings.CACHES:
        return f'There is no CACHES["{alias}"], in which rates are to be counted.'
    if not in_production():
        return None
    backend = import_string(settings.CACHES[alias]["BACKEND"])
    if issubclass(backend, DummyCache):
        return f'CACHES["{alias}"], in which rates are counted, keeps nothing.'
    if backend.incr is BaseCache.incr:
        return (
            f'CACHES["{alias}"], in which rates are counted, reads a count and then '
            "writes it: of those who come at a time, some are not counted."
        )
    several = conf.store != MEMORY or _several_declared()
    if issubclass(backend, LocMemCache) and several:
        return (
            f'CACHES["{alias}"], in which rates are counted, is in the memory of one '
            "process, and there are several."
        )
    return None


def _several_declared() -> bool:
    """Tell whether the environment declares more than one process."""
    declared = os.environ.get(COUNT_VARIABLE, "")
    return declared.isdecimal() and int(declared) > 1
