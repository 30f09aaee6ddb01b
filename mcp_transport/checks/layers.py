"""Channel layers of the site: the endpoint needs none, its consumers may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from mcp_transport.checks.production import in_production

IN_MEMORY = "channels.layers.InMemoryChannelLayer"
ON_REDIS = "channels_redis.core.RedisChannelLayer"
# For how long a consumer's read of RedisChannelLayer blocks: ``brpop_timeout``.
BLOCKS_S = 5
# From here on a connection of redis-py has a time-out of BLOCKS_S of its own.
REDIS_WITH_TIMEOUT = 8


def check_layers(**_: Any) -> list[CheckMessage]:
    layers: Mapping[str, Any] = getattr(settings, "CHANNEL_LAYERS", {})
    return [
        message
        for alias, layer in layers.items()
        for message in _check(alias, layer.get("BACKEND"), layer.get("CONFIG", {}))
    ]


def _check(
    alias: str, backend: str | None, config: Mapping[str, Any]
) -> Iterator[CheckMessage]:
    if backend == IN_MEMORY and in_production():
        yield Error(
            f'CHANNEL_LAYERS["{alias}"] is in the memory of one process: what is sent '
            "in another is lost.",
            hint='Use "channels_redis.pubsub.RedisPubSubChannelLayer", or take the '
            "layer out: the endpoint needs none.",
            id="mcp_transport.E011",
        )
    if backend == ON_REDIS and not all(map(_waits, config.get("hosts") or [None])):
        yield Error(
            f'CHANNEL_LAYERS["{alias}"] has a Redis whose connections time out within '
            f"{BLOCKS_S} s, for which a quiet consumer waits: each idle WebSocket of "
            "the site would be closed with 1011.",
            hint='Write its hosts as {"address": "redis://...", "socket_timeout": '
            "None}.",
            id="mcp_transport.E012",
        )


def _waits(host: Any) -> bool:
    """Tell whether a connection to a host outlasts a read that blocks."""
    if not isinstance(host, Mapping) or "socket_timeout" not in host:
        return int(version("redis").partition(".")[0]) < REDIS_WITH_TIMEOUT
    timeout_s = host["socket_timeout"]
    return timeout_s is None or timeout_s > BLOCKS_S
