"""Streams in Redis: the events, and what is known of who writes and reads them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection, Sequence
from typing import Any
from weakref import WeakValueDictionary

from mcp_transport.engine.eventlog import STANDING, Event, Gone, Position
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.protocol.errors import INTERNAL_ERROR, ProtocolError
from mcp_transport.protocol.messages import Id, dumps, encode_error
from mcp_transport.stores.redis.connection import PATIENCE_S, Commands
from mcp_transport.stores.redis.pulse import Pulse, StreamKey

EVENTS_AT_ONCE = 200
# A reader shows itself at each keep-alive; a second chance, and a third.
LEASE_IN_KEEP_ALIVES = 3
# Until the reader of a full stream is looked for again.
FULL_FOR_S = 1.0

DIED = ProtocolError(INTERNAL_ERROR, "the process that ran this request has died")


class RedisEvents:
    """An EventLog."""

    def __init__(self, commands: Commands, pulse: Pulse, limits: Limits) -> None:
        self.commands = commands
        self.pulse = pulse
        self.limits = limits
        self.ttl_ms = int(limits.session_idle_s * 1000)
        self._lanes: WeakValueDictionary[StreamKey, _Lane] = WeakValueDictionary()

    async def write(
        self, session_id: str, stream: str, awaited: Collection[Id] = ()
    ) -> _RedisWriter:
        await self.pulse.start()
        key = (session_id, stream)
        lane = self._lanes.setdefault(key, _Lane())
        # Between what Redis says and its note here, nobody of ours appends.
        async with lane.turn:
            found = await self.commands.run(
                "write",
                *key,
                secrets.token_hex(4),
                self.ttl_ms,
                self.pulse.process,
                *(dumps(id) for id in awaited),
                patience_s=PATIENCE_S,
            )
            epoch, lane.written = (b"0", 0) if found is None else found
        return _RedisWriter(self, key, epoch.decode(), lane)

    async def read(
        self, session_id: str, stream: str, after: Position | None = None
    ) -> _RedisReader:
        await self.pulse.start()
        key = (session_id, stream)
        token = secrets.token_hex(8)
        is_new = secrets.token_hex(4) if stream == STANDING else ""
        taken = await self.commands.run(
            "read",
            *key,
            *(("", "") if after is None else (after.epoch, after.number)),
            is_new,
            self.ttl_ms,
            token,
            self.pulse.process,
            self.lease_ms,
            patience_s=PATIENCE_S,
        )
        if taken is None:
            raise Gone
        epoch, number, *wake = taken
        for process in wake:
            self.pulse.hint(process, key)
        return _RedisReader(self, Position(stream, epoch.decode(), number), key, token)

    async def is_read(self, session_id: str, stream: str) -> bool:
        await self.pulse.start()
        key = (session_id, stream)
        held: int = await self.commands.run("held", *key, patience_s=PATIENCE_S)
        return held == 1

    @property
    def lease_ms(self) -> int:
        return int(self.limits.keep_alive_s * 1000 * LEASE_IN_KEEP_ALIVES)

    @property
    def closed_bounds(self) -> tuple[int, int]:
        """For how many ms, and in how many bytes, streams that ended are kept."""
        age_ms = int(self.limits.replay_age_s * 1000)
        return age_ms, self.limits.replay_session_bytes

    async def bury(self, key: StreamKey, dead: frozenset[str]) -> None:
        """Answer what processes that died have left unanswered on a stream."""
        before_id, after_id = _around_id(encode_error("", DIED))
        process = await self.commands.run(
            "bury",
            *key,
            before_id,
            after_id,
            self.limits.replay_events,
            self.limits.replay_bytes,
            *self.closed_bounds,
            *dead,
            patience_s=None,
        )
        self.pulse.hint(process, key)


def _around_id(error: bytes) -> tuple[bytes, bytes]:
    before_id, _, after_id = error.partition(b'""')
    return before_id, after_id


class _Lane:
    """What this process appends to one stream, one after the other: how many
    messages it has ``written`` changes with its ``turn`` alone.
    """

    __slots__ = ("__weakref__", "turn", "written")

    def __init__(self) -> None:
        self.written = 0
        self.turn = asyncio.Lock()


class _Woken:
    """A wake-up that is kept until somebody waits for it."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def wake(self) -> None:
        self._event.set()

    def clear(self) -> None:
        self._event.clear()

    async def wait(self, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            return False
        return True


class _RedisWriter(_Woken):
    """A Writer. It waits for Redis as long as it takes, and for its reader."""

    def __init__(
        self, log: RedisEvents, key: StreamKey, epoch: str, lane: _Lane
    ) -> None:
        super().__init__()
        self._log = log
        self._key = key
        self._epoch = epoch
        self._lane = lane

    @property
    def start(self) -> Position:
        return Position(self._key[1], self._epoch, 0)

    def mourn(self, dead: frozenset[str]) -> None:
        """A writer has nobody to mourn."""

    async def append(
        self, messages: Sequence[bytes], answered: Collection[Id] = ()
    ) -> None:
        settled = [dumps(id) for id in answered]
        rest = await self._append(messages, settled)
        if not rest:
            return
        self._log.pulse.add(self._key, self)
        try:
            while rest := await self._append(rest, settled):
                await self.wait(FULL_FOR_S)
        finally:
            self._log.pulse.discard(self._key, self)

    async def _append(
        self, messages: Sequence[bytes], settled: list[bytes]
    ) -> Sequence[bytes]:
        """Append what fits; return the rest, or none when the stream is over."""
        self.clear()
        lane, limits = self._lane, self._log.limits
        async with lane.turn:
            done = await self._log.commands.run(
                "append",
                *self._key,
                self._epoch,
                self._log.pulse.process,
                lane.written,
                limits.replay_events,
                limits.replay_bytes,
                self._log.ttl_ms,
                len(settled),
                *settled,
                *messages,
                patience_s=None,
            )
            if done is None:
                return ()
            written, reader = done
            rest = messages[written - lane.written :]
            lane.written = written
        self._log.pulse.hint(reader, self._key)
        return rest

    async def close(self) -> None:
        async with self._lane.turn:
            reader = await self._log.commands.run(
                "close",
                *self._key,
                self._epoch,
                self._log.pulse.process,
                *self._log.closed_bounds,
                patience_s=None,
            )
        self._log.pulse.hint(reader, self._key)


class _RedisReader(_Woken):
    """A Reader."""

    def __init__(
        self, log: RedisEvents, position: Position, key: StreamKey, token: str
    ) -> None:
        super().__init__()
        self.position = position
        self._log = log
        self._key = key
        self._token = token
        self._mourning: frozenset[str] = log.pulse.dead
        log.pulse.add(key, self)

    def mourn(self, dead: frozenset[str]) -> None:
        self._mourning = dead
        self.wake()

    async def read(self) -> tuple[list[Event], bool]:
        self.clear()
        if self._mourning:
            await self._log.bury(self._key, self._mourning)
            self._mourning = frozenset()
        after = self.position
        found: Any = await self._log.commands.run(
            "next",
            *self._key,
            after.epoch,
            self._token,
            after.number,
            self._log.lease_ms,
            EVENTS_AT_ONCE,
            patience_s=PATIENCE_S,
        )
        if found is None:
            raise Gone
        over, blocked, messages = found
        self._log.pulse.hint(blocked, self._key)
        events = [
            Event(number, data)
            for number, data in enumerate(messages, after.number + 1)
        ]
        if events:
            self.position = Position(after.stream, after.epoch, events[-1].number)
        return events, over == 1

    async def leave(self) -> None:
        self._log.pulse.discard(self._key, self)
        try:
            blocked = await self._log.commands.run(
                "leave",
                *self._key,
                self._token,
                patience_s=self._log.lease_ms / 1000,
            )
        except StoreUnavailable:
            # By now the lease is over, and with it our hold.
            return
        self._log.pulse.hint(blocked, self._key)
