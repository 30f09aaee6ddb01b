"""The shop as it is recorded: two processes that serve one Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.serving import Redis, Served, daphnes, redis_server

SETTINGS = "tests.docs.served.settings"
APPLICATION = "tests.docs.served.asgi:application"


@dataclass(frozen=True)
class Shop:
    served: Served
    other: Served
    redis: Redis


@contextmanager
def opened(directory: Path) -> Iterator[Shop]:
    with redis_server(directory) as redis:
        environ = {"DJANGO_SETTINGS_MODULE": SETTINGS, "SHOP_STORE": redis.url}
        with daphnes(2, APPLICATION, directory, environ=environ) as (served, other):
            yield Shop(served, other, redis)
