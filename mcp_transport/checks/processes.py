"""What several processes have to share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.checks import CheckMessage, Error, Warning
from django.utils.module_loading import import_string

from mcp_transport.conf import Conf, read_settings
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.stores import MEMORY, server_problems

# What gunicorn, uvicorn and many hosts read.
COUNT_VARIABLE = "WEB_CONCURRENCY"
RATES = (
    "rate_per_token",
    "rate_per_session",
    "rate_per_address",
    "failures_per_address",
)


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
    """Hold the caches to what is counted in them."""
    conf, _problems = read_settings()
    messages = [
        message
        for alias, what in _counted(conf).items()
        for message in _cache(alias, what, conf)
    ]
    if not getattr(settings, "RATELIMIT_ENABLE", True) and not settings.DEBUG:
        messages.append(
            Error(
                "RATELIMIT_ENABLE is off: no rate bounds anybody.",
                hint='Take it out; a rate that you do not want is "".',
                id="mcp_transport.E010",
            )
        )
    return messages


def _counted(conf: Conf) -> dict[str, str]:
    """Return what is counted, by the alias of its cache."""
    found = {}
    if conf.tickets:
        found["default"] = "which tickets were used"
    if any(getattr(conf, name) for name in RATES):
        found[getattr(settings, "RATELIMIT_USE_CACHE", "default")] = "rates"
    return found


def _cache(alias: str, what: str, conf: Conf) -> Iterator[CheckMessage]:
    shared = (
        f'Set CACHES["{alias}"] to {{"BACKEND": '
        '"django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://..."}.'
    )
    said = None
    if alias not in settings.CACHES:
        said = f'There is no CACHES["{alias}"], which is to know {what}.'
    elif not settings.DEBUG:
        backend = import_string(settings.CACHES[alias]["BACKEND"])
        if issubclass(backend, DummyCache):
            said = f'CACHES["{alias}"] keeps nothing, and is to know {what}.'
        elif issubclass(backend, LocMemCache) and (
            conf.store != MEMORY or _several_declared()
        ):
            said = (
                f'CACHES["{alias}"], which is to know {what}, is in the memory of one '
                "process, and there are several."
            )
    if said is not None:
        yield Error(said, hint=shared, id="mcp_transport.E010")


def _several_declared() -> bool:
    """Tell whether the environment declares more than one process."""
    declared = os.environ.get(COUNT_VARIABLE, "")
    return declared.isdecimal() and int(declared) > 1
