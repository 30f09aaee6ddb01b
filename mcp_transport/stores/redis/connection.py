"""The way to Redis: scripts that are sent until their reply came."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

import redis
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry as SyncRetry

from mcp_transport.engine.store import StoreUnavailable

logger = logging.getLogger("mcp_transport")

# A Redis that is well answers in well under a millisecond.
TIMEOUT_S = 2.0
# How long a request waits for a Redis that is away.
PATIENCE_S = 3.0
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 0.5
MAX_CONNECTIONS = 64
DEFAULT_PREFIX = "mcp"

# What passes by itself: the command may or may not have been carried out.
PASSING = (
    AuthenticationError,
    BusyLoadingError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisConnectionError,
    RedisTimeoutError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A Redis server by its URL, and the prefix of our keys there."""

    url: str
    prefix: str

    @classmethod
    def of(cls, url: str) -> Self:
        """Take our own parameter out of the URL; redis-py reads the others."""
        address, _, query = url.partition("?")
        parameters = dict(parse_qsl(query))
        prefix = parameters.pop("prefix", DEFAULT_PREFIX)
        query = urlencode(parameters)
        return cls(f"{address}?{query}" if query else address, prefix)


@dataclass(frozen=True, slots=True)
class Script:
    text: str
    sha: str

    @classmethod
    @cache
    def named(cls, name: str) -> Self:
        """Read a script of ``lua/``, with the prelude in front."""
        directory = Path(__file__).parent / "lua"
        text = "\n".join(
            (directory / f"{part}.lua").read_text("utf-8") for part in ("prelude", name)
        )
        return cls(text, sha1(text.encode(), usedforsecurity=False).hexdigest())


class Commands:
    """Runs our scripts. Nothing is connected before the first one.

    Each command has a connection to itself. redis-py's pool is not asked for one:
    it loses a connection when a task is cancelled as it gives it back.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._idle: list[redis.asyncio.Redis] = []
        self._turns = asyncio.Semaphore(MAX_CONNECTIONS)
        self._away = False

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[redis.asyncio.Redis]:
        async with asyncio.timeout(TIMEOUT_S), self._turns:
            client = self._idle.pop() if self._idle else self._new()
            try:
                yield client
            finally:
                self._idle.append(client)

    def _new(self) -> redis.asyncio.Redis:
        # redis-py would send a command again by itself, whatever it does; and with
        # a time-out of its own it loses cancellations on Python 3.11.
        return redis.asyncio.Redis.from_url(
            self._place.url,
            single_connection_client=True,
            socket_timeout=None,
            socket_connect_timeout=TIMEOUT_S,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),
            retry_on_error=[],
        )

    async def run(
        self, name: str, *args: bytes | str | float, patience_s: float | None
    ) -> Any:
        """Run a script until its reply came; ``patience_s`` is None to wait for as
        long as it takes.

        Raises StoreUnavailable when it did not come in time: the script may have
        run or not.
        """
        script, loop = Script.named(name), asyncio.get_running_loop()
        gives_up_at = None if patience_s is None else loop.time() + patience_s
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                reply = await self._once(script, args)
            except PASSING as error:
                self._missed(error)
                # No password becomes right by being tried again.
                hopeless = isinstance(error, AuthenticationError)
                if gives_up_at is not None and (
                    hopeless or loop.time() + pause_s > gives_up_at
                ):
                    raise StoreUnavailable from error
            else:
                self._reached()
                return reply
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _once(self, script: Script, args: tuple[bytes | str | float, ...]) -> Any:
        async with self._connection() as client:
            try:
                return await client.evalsha(script.sha, 1, self._place.prefix, *args)
            except NoScriptError:
                return await client.eval(script.text, 1, self._place.prefix, *args)

    def _missed(self, error: Exception) -> None:
        """Log the first of many: its words may name hosts, and stay here."""
        if not self._away:
            self._away = True
            logger.warning("Redis is away: %s: %s", type(error).__name__, error)

    def _reached(self) -> None:
        if self._away:
            self._away = False
            logger.warning("Redis is back")

    def run_blocking(self, name: str, *args: bytes | str | float) -> Any:
        """Run a script from a thread, or a process, that has no event loop of ours.

        Raises StoreUnavailable.
        """
        text = Script.named(name).text
        with self._blocking() as client:
            return client.eval(text, 1, self._place.prefix, *args)

    def info(self) -> dict[str, Any]:
        """Return what Redis says of itself, without an event loop.

        Raises StoreUnavailable.
        """
        with self._blocking() as client:
            said: dict[str, Any] = client.info()
        return said

    @contextmanager
    def _blocking(self) -> Iterator[redis.Redis]:
        client = redis.Redis.from_url(
            self._place.url,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=SyncRetry(NoBackoff(), 0),
        )
        try:
            yield client
        except (RedisError, OSError) as error:
            self._missed(error)
            raise StoreUnavailable from error
        finally:
            client.close()

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        self._turns = asyncio.Semaphore(MAX_CONNECTIONS)
        for client in idle:
            await client.aclose(close_connection_pool=True)
