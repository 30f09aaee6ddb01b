"""What a Redis must be set to, so that it forgets nothing by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.stores.redis.connection import Commands, Place

logger = logging.getLogger("mcp_transport")


def problems(info: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a Redis that says ``info`` of itself."""
    found = []
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction" and info.get("maxmemory"):
        found.append(
            f"Redis evicts keys ({policy}) when its memory is full, and with them "
            "sessions in use: set maxmemory-policy noeviction."
        )
    if not info.get("aof_enabled"):
        found.append("Redis would lose all sessions at a restart: set appendonly yes.")
    return found


def inspected(url: str) -> list[str]:
    """Return what is wrong with the Redis at ``url``. Raises StoreUnavailable."""
    return problems(Commands(Place.of(url)).info())


async def report_preconditions(commands: Commands) -> None:
    """Log what is wrong with our Redis."""
    try:
        found = problems(await asyncio.to_thread(commands.info))
    except StoreUnavailable:
        return
    for problem in found:
        logger.error("%s", problem)
