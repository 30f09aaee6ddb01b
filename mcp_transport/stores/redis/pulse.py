"""The pulse of a process: once a second, and at each hint, it shows Redis that it
lives and takes what there is for it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol

from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.stores.redis.connection import Commands
from mcp_transport.stores.redis.hints import Hints
from mcp_transport.stores.redis.preconditions import report_preconditions

logger = logging.getLogger("mcp_transport")

EVERY_S = 1.0
# A process that was silent for so long is dead once it stayed so for a while
# under our eyes: after Redis was away, all seem silent at first.
SILENT_MS = 20_000
SILENT_UNDER_OUR_EYES_S = 5.0
FORGOTTEN_MS = 600_000
SIGNALS_AT_ONCE = 500

StreamKey = tuple[str, str]  # session and stream


class Waiting(Protocol):
    """A reader or writer of a stream in this process."""

    def wake(self) -> None:
        """There may be something new on the stream."""
        ...

    def mourn(self, dead: frozenset[str]) -> None:
        """These processes have died; they may have left something unanswered."""
        ...


class Pulse:
    """What of this process others can see, and the beat that looks after it.

    ``kept_ms`` is how long a stream may wait for a reader behind its last message:
    for as long it is remembered of a process that it has died.
    """

    def __init__(self, commands: Commands, hints: Hints, kept_ms: int) -> None:
        self.process = secrets.token_hex(8)
        self.dead: frozenset[str] = frozenset()
        self.loop: asyncio.AbstractEventLoop | None = None
        self._commands = commands
        self._hints = hints
        self._forgotten_ms = max(FORGOTTEN_MS, kept_ms + SILENT_MS)
        self._waiting: dict[StreamKey, set[Waiting]] = defaultdict(set)
        self._hear: Callable[[bytes], None] | None = None
        self._cursor: bytes | str = ""
        self._silent_since: dict[str, float] = {}
        self._missed = False
        self._hinted: asyncio.Event | None = None
        self._turn = asyncio.Lock()
        self._beating: asyncio.Task[None] | None = None

    def listen(self, hear: Callable[[bytes], None]) -> None:
        """Call ``hear`` for each signal of another process."""
        self._hear = hear

    async def start(self) -> None:
        """Begin to beat, at the first use: what others say from now on is heard.

        Raises StoreUnavailable.
        """
        self.begin()
        if self.attends:
            return
        async with self._turn:
            if not self.attends:
                await self._take()

    @property
    def attends(self) -> bool:
        """Tell whether this process has begun to hear the others."""
        return self._cursor != ""

    def begin(self) -> None:
        """Begin to beat, as soon as Redis can be reached."""
        loop = asyncio.get_running_loop()
        if self.loop is loop:
            return
        if self.loop is not None and not self.loop.is_closed():
            raise RuntimeError("a RedisStore belongs to one event loop: close it first")
        self.loop, self._hinted, self._cursor = loop, asyncio.Event(), ""
        self._turn = asyncio.Lock()
        self._hints.start(self.process, self._hinted.set)
        self._beating = loop.create_task(self._beat(self._hinted))

    async def _beat(self, hinted: asyncio.Event) -> None:
        await report_preconditions(self._commands)
        while True:
            hinted.clear()
            try:
                await self.beat()
            except StoreUnavailable:
                self._missed = True
            except Exception:
                self._missed = True
                logger.exception("a pulse failed")
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await hinted.wait()

    async def beat(self) -> None:
        """Take what there is. Raises StoreUnavailable."""
        # One that began earlier and is late would set the cursor behind what nobody
        # has heard, or before what was heard already.
        async with self._turn:
            await self._take()

    async def _take(self) -> None:
        cursor, dirty, silent, said = await self._commands.run(
            "pulse",
            self.process,
            SILENT_MS,
            self._forgotten_ms,
            self._cursor,
            SIGNALS_AT_ONCE,
            patience_s=0,
        )
        self._cursor = cursor
        if self._missed:
            # A reply that was lost may have held anything.
            self._missed = False
            self.wake(list(self._waiting))
        self.wake(_stream_key(name) for name in dirty)
        self._bury({process.decode() for process in silent})
        for process, one in said:
            if self._hear is not None and process.decode() != self.process:
                self._hear(one)
        if len(said) == SIGNALS_AT_ONCE:
            self.soon()

    def _bury(self, silent: set[str]) -> None:
        now = asyncio.get_running_loop().time()
        self._silent_since = {
            process: self._silent_since.get(process, now)
            for process in silent
            if process != self.process
        }
        dead = frozenset(
            process
            for process, since in self._silent_since.items()
            if now - since >= SILENT_UNDER_OUR_EYES_S
        )
        if dead - self.dead:
            for waiting in [one for key in self._waiting.values() for one in key]:
                waiting.mourn(dead)
        self.dead = dead

    def soon(self) -> None:
        """Beat at once."""
        if self._hinted is not None:
            self._hinted.set()

    def hint(self, process: bytes | None, key: StreamKey) -> None:
        """Wake whoever waits for a stream, in this process or another."""
        if not process:
            return
        if process.decode() == self.process:
            self.wake([key])
        else:
            self._hints.give(process.decode())

    def hint_all(self, processes: Iterable[bytes]) -> None:
        """Hint at processes; each knows by itself what to look at."""
        for process in processes:
            if process.decode() == self.process:
                self.soon()
            else:
                self._hints.give(process.decode())

    def hint_everybody(self, group: str) -> None:
        self._hints.give(group)

    # Whoever waits.

    def add(self, key: StreamKey, waiting: Waiting) -> None:
        self._waiting[key].add(waiting)

    def discard(self, key: StreamKey, waiting: Waiting) -> None:
        held = self._waiting.get(key)
        if held is not None:
            held.discard(waiting)
            if not held:
                del self._waiting[key]

    def wake(self, keys: Iterable[StreamKey]) -> None:
        for key in keys:
            for waiting in list(self._waiting.get(key, ())):
                waiting.wake()

    async def close(self) -> None:
        beating, self._beating, self.loop = self._beating, None, None
        if beating is not None:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)


def _stream_key(name: bytes) -> StreamKey:
    session_id, _, stream = name.decode().rpartition(" ")
    return session_id, stream
