"""Hints by a channel layer: look at once, instead of at your next pulse.

They may all be lost, as channel layers lose messages; then things take up to a
second longer, and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from channels_redis.pubsub import RedisPubSubChannelLayer

from mcp_transport.stores.redis.connection import TIMEOUT_S, Place

logger = logging.getLogger("mcp_transport")

EVERYBODY = "everybody"
AGAIN_AFTER_S = 1.0


class ChannelLayer(Protocol):
    """What we need of a channel layer, as the Channels documentation has it."""

    async def new_channel(self) -> str: ...

    async def group_add(self, group: str, channel: str) -> None: ...

    async def group_send(self, group: str, message: dict[str, Any]) -> None: ...

    async def receive(self, channel: str) -> dict[str, Any]: ...

    async def flush(self) -> None: ...


def channel_layer(place: Place) -> ChannelLayer:
    """Return a layer of our own on the same Redis: nothing has to be configured."""
    # With a time-out of its own redis-py loses cancellations on Python 3.11.
    host = {"address": place.url, "socket_timeout": None}
    layer: ChannelLayer = RedisPubSubChannelLayer(
        hosts=[host], prefix=f"{place.prefix}:hints:"
    )
    return layer


class Hints:
    """Gives hints to processes, and hears those for this one."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._layer: ChannelLayer | None = None
        self._listening: asyncio.Task[None] | None = None
        # Where a hint is on its way another one says nothing new.
        self._giving: dict[str, asyncio.Task[None]] = {}

    def start(self, process: str, hear: Callable[[], None]) -> None:
        """Call ``hear`` for each hint for ``process`` or for everybody."""
        self._layer = channel_layer(self._place)
        self._listening = asyncio.create_task(self._listen(self._layer, process, hear))

    async def _listen(
        self, layer: ChannelLayer, process: str, hear: Callable[[], None]
    ) -> None:
        while True:
            try:
                channel = await layer.new_channel()
                await layer.group_add(process, channel)
                await layer.group_add(EVERYBODY, channel)
                while True:
                    await layer.receive(channel)
                    hear()
            except Exception as error:
                logger.info("hints are not heard: %s", type(error).__name__)
            await asyncio.sleep(AGAIN_AFTER_S)

    def give(self, group: str) -> None:
        """Hint at once, if nothing is in the way."""
        if self._layer is None or group in self._giving:
            return
        task = asyncio.create_task(self._give(self._layer, group))
        self._giving[group] = task
        task.add_done_callback(lambda _: self._giving.pop(group, None))

    async def _give(self, layer: ChannelLayer, group: str) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await layer.group_send(group, {"type": "hint"})
        except Exception as error:
            logger.info("a hint was lost: %s", type(error).__name__)

    async def close(self) -> None:
        tasks = [task for task in (self._listening, *self._giving.values()) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        layer, self._layer, self._listening = self._layer, None, None
        if layer is not None:
            with suppress(OSError):
                await layer.flush()
