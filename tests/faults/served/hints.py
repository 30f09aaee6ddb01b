"""A channel layer at its worst."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn

from mcp_transport.stores.redis.connection import Place


class LosingLayer:
    """A channel layer that loses every message."""

    def __init__(self, place: Place) -> None:
        """Where it does not send to is all the same."""

    async def new_channel(self) -> str:
        return "nowhere"

    async def group_add(self, group: str, channel: str) -> None:
        """Nothing comes from the group."""

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """It is lost."""

    async def receive(self, channel: str) -> NoReturn:
        await asyncio.Event().wait()
        raise AssertionError("nothing comes")

    async def flush(self) -> None:
        """There is nothing to clear away."""
