"""Caches that count, as the settings name them."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.redis import RedisCache

from deploy.servers import Redis

BACKENDS = "django.core.cache.backends"
LOCAL = {"BACKEND": f"{BACKENDS}.locmem.LocMemCache", "LOCATION": "rates"}


class Derived(RedisCache):
    """A cache behind a connection of which no more is known than that it is one."""


def in_redis(server: Redis, **options: Any) -> dict[str, Any]:
    backend = f"{BACKENDS}.redis.RedisCache"
    return {"BACKEND": backend, "LOCATION": server.url, "OPTIONS": options}


def derived(server: Redis) -> dict[str, Any]:
    backend = f"{Derived.__module__}.{Derived.__qualname__}"
    return {"BACKEND": backend, "LOCATION": server.url}
