"""Signals by Redis: a log that every process reads, and changes told to sessions.

Spec: 2025-11-25 server/resources #subscriptions, #list-changed-notification.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Sequence
from typing import Any

from mcp_transport.engine.changes import Change, ListChanged, ResourceUpdated
from mcp_transport.engine.eventlog import STANDING
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.signals import (
    Announced,
    Answered,
    Cancelled,
    CatalogueChanged,
    Dismissed,
    Ended,
    Hear,
    Signal,
)
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.protocol.lifecycle import Phase
from mcp_transport.protocol.messages import (
    Response,
    dumps,
    encode_notification,
    loads,
    parse,
)
from mcp_transport.stores.redis.connection import PATIENCE_S, Commands
from mcp_transport.stores.redis.hints import EVERYBODY
from mcp_transport.stores.redis.pulse import Pulse

logger = logging.getLogger("mcp_transport")

KEPT_MS = 60_000
# A process hears of itself what somebody says that is no process.
NOBODY = ""
SESSIONS_AT_ONCE = 100
# Until a process tells the sessions of a change that another one has made, if
# that one has not done it.
ITS_OWN_TURN_S = 0.25
# Until sessions hear that a list has changed which every process reads by itself:
# by then the others have read it too, and any of them may be asked for it.
ALL_READ_S = 0.25


class RedisSignals:
    """Signals."""

    def __init__(self, commands: Commands, pulse: Pulse, limits: Limits) -> None:
        self._commands = commands
        self._pulse = pulse
        self._limits = limits
        self._hearing: list[Hear] = []
        self._own: asyncio.Queue[Announced] = asyncio.Queue()
        self._others = asyncio.Event()
        self._telling = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        pulse.listen(self._heard)

    def listen(self, hear: Hear) -> None:
        self._hearing.append(hear)

    def attend(self) -> None:
        self._pulse.begin()

    async def send(self, signal: Signal) -> None:
        await self._pulse.start()
        await self._sent(signal, PATIENCE_S)

    async def _sent(self, said: Signal | Announced, patience_s: float | None) -> None:
        arguments = self._arguments(said)
        await self._commands.run("signal", *arguments, patience_s=patience_s)
        self._pulse.hint_everybody(EVERYBODY)

    def _arguments(self, said: Signal | Announced) -> Sequence[str | bytes | int]:
        is_change = isinstance(said, ListChanged | ResourceUpdated)
        return _token(said), self._pulse.process, _encode(said), KEPT_MS, int(is_change)

    def send_blocking(self, signal: Signal) -> None:
        """Tell every process, this one too, from a thread without an event loop.

        They hear it at their next pulse. Raises StoreUnavailable.
        """
        said = (secrets.token_hex(8), NOBODY, _encode(signal), KEPT_MS, 0)
        self._commands.run_blocking("signal", *said)

    def announce(self, change: Announced) -> None:
        loop = self._pulse.loop
        if loop is not None and loop.is_running():
            loop.call_soon_threadsafe(self._announced, change)
            return
        # A process that serves nobody: those that do will tell their sessions.
        try:
            self._commands.run_blocking("signal", *self._arguments(change))
        except StoreUnavailable:
            logger.error("a change could not be told to the servers: %s", change)

    def _announced(self, change: Announced) -> None:
        if _read_by_all(change):
            loop = asyncio.get_running_loop()
            loop.call_later(ALL_READ_S, self._own.put_nowait, change)
        else:
            self._own.put_nowait(change)
        self._start()

    def _start(self) -> None:
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._tell_own()),
                asyncio.create_task(self._tell_others()),
            ]

    def _heard(self, said: bytes) -> None:
        signal = _decode(said)
        for hear in self._hearing:
            hear(signal)
        if isinstance(signal, ListChanged | ResourceUpdated):
            self._others.set()
            self._start()

    async def _tell_own(self) -> None:
        while True:
            await self._sent(await self._own.get(), None)
            await self._tell_untold()

    async def _tell_others(self) -> None:
        while True:
            await self._others.wait()
            await asyncio.sleep(ITS_OWN_TURN_S)
            self._others.clear()
            await self._tell_untold()

    async def _tell_untold(self) -> None:
        """Tell all changes that were not told yet, whosever they are, in order: a
        session that was told one was told all before.
        """
        async with self._telling:
            for number, said in await self._commands.run("untold", patience_s=None):
                change = _decode(said)
                assert isinstance(change, ListChanged | ResourceUpdated)
                await self._tell(number, change)

    async def _tell(self, number: int, change: Change) -> None:
        """Say it once on the standing stream of each session that wants to know,
        however many processes do this.
        """
        index = (
            f"subscribed:{change.uri}"
            if isinstance(change, ResourceUpdated)
            else "sessions"
        )
        message = encode_notification(*change.notification)
        async for ids in self._found(index):
            processes = await self._commands.run(
                "tell",
                number,
                message,
                STANDING,
                secrets.token_hex(4),
                int(self._limits.session_idle_s * 1000),
                self._limits.replay_events,
                self._limits.replay_bytes,
                Phase.READY.value,
                index,
                *ids,
                patience_s=None,
            )
            self._pulse.hint_all(processes)
        await self._commands.run("told", number, patience_s=None)

    async def _found(self, index: str) -> AsyncIterator[list[bytes]]:
        found: list[bytes] = await self._commands.run("index", index, patience_s=None)
        for start in range(0, len(found), SESSIONS_AT_ONCE):
            yield found[start : start + SESSIONS_AT_ONCE]

    async def close(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _read_by_all(said: Signal | Announced) -> bool:
    return isinstance(said, ListChanged) and said.number is not None


def _token(said: Signal | Announced) -> str:
    """Return what a signal is known by: what was taken under it is not taken again."""
    if isinstance(said, ListChanged) and said.number is not None:
        return f"{said.kind}:{said.number}"
    return secrets.token_hex(8)


def _encode(said: Signal | Announced) -> bytes:
    parts: list[Any]
    if isinstance(said, Cancelled):
        parts = ["cancelled", said.session_id, said.request_id]
    elif isinstance(said, Answered):
        # As text, which may be as deep as a message may be.
        parts = ["answered", said.session_id, said.response.encoded().decode()]
    elif isinstance(said, Ended):
        parts = ["ended", said.session_id]
    elif isinstance(said, Dismissed):
        parts = ["dismissed", said.handle]
    elif isinstance(said, ListChanged):
        parts = ["list", said.kind, said.number]
    elif isinstance(said, CatalogueChanged):
        parts = ["catalogue"]
    else:
        parts = ["resource", said.uri]
    return dumps(parts)


def _decode(said: bytes) -> Signal | Announced:
    kind, *parts = loads(said)
    if kind == "cancelled":
        return Cancelled(*parts)
    if kind == "answered":
        session_id, encoded = parts
        response = parse(encoded.encode())
        assert isinstance(response, Response)
        return Answered(session_id, response)
    if kind == "ended":
        return Ended(*parts)
    if kind == "dismissed":
        return Dismissed(*parts)
    if kind == "list":
        return ListChanged(*parts)
    if kind == "catalogue":
        return CatalogueChanged()
    return ResourceUpdated(*parts)
