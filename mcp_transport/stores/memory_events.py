"""The event log in this process's memory.

Spec: 2025-11-25 basic/transports #resumability-and-redelivery.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import islice

from mcp_transport.engine.eventlog import STANDING, Event, Gone, Position
from mcp_transport.engine.limits import Limits
from mcp_transport.protocol.messages import Id

Clock = Callable[[], float]

# What a stream costs besides its events.
STREAM_BYTES = 1024


@dataclass(slots=True, eq=False)
class _Stream:
    name: str
    epoch: str
    events: deque[Event] = field(default_factory=deque)
    size_bytes: int = 0
    last: int = 0
    delivered: int = 0
    closed: bool = False
    dropped: bool = False
    reader: _MemoryReader | None = None
    waiters: set[asyncio.Future[None]] = field(default_factory=set)

    def wake(self) -> None:
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def moved(self, timeout_s: float | None = None) -> bool:
        """Wait for whatever happens next; False when the time passed."""
        waiter = asyncio.get_running_loop().create_future()
        self.waiters.add(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                await waiter
        except TimeoutError:
            return False
        finally:
            self.waiters.discard(waiter)
        return True

    @property
    def first(self) -> int:
        """The number of the oldest event that is kept, or of the next one."""
        return self.events[0].number if self.events else self.last + 1

    @property
    def over(self) -> bool:
        return self.closed or self.dropped


@dataclass(slots=True, eq=False)
class _Session:
    """The streams of a session, and which of them have ended, oldest first."""

    streams: dict[str, _Stream] = field(default_factory=dict)
    closed: dict[str, _Stream] = field(default_factory=dict)
    closed_bytes: int = 0

    def close(self, held: _Stream) -> None:
        self.closed[held.name] = held
        self.closed_bytes += STREAM_BYTES + held.size_bytes

    def unread(self) -> str | None:
        """Return the one that ended first of those that nobody reads."""
        unread = (name for name, held in self.closed.items() if held.reader is None)
        return next(unread, None)

    def forget(self, stream: str) -> None:
        held = self.closed.pop(stream)
        self.closed_bytes -= STREAM_BYTES + held.size_bytes
        del self.streams[stream]


class MemoryEvents:
    """An EventLog. A stream keeps its newest events within the bounds, and all
    of it goes some time after it was closed.
    """

    def __init__(self, limits: Limits, clock: Clock = time.monotonic) -> None:
        # Of the sessions: whoever tells them something does so there.
        self.loop: asyncio.AbstractEventLoop | None = None
        self._limits = limits
        self._clock = clock
        self._sessions: dict[str, _Session] = {}
        # When each stream ended that is kept, in this order.
        self._closed: dict[tuple[str, str], float] = {}

    async def write(
        self, session_id: str, stream: str, awaited: Collection[Id] = ()
    ) -> _MemoryWriter:
        self._forget_old()
        return _MemoryWriter(self, session_id, self._opened(session_id, stream))

    async def read(
        self, session_id: str, stream: str, after: Position | None = None
    ) -> _MemoryReader:
        if stream == STANDING:
            held = self._opened(session_id, stream)
        else:
            held = self._find(session_id, stream)
        if held.dropped or (after is not None and after.epoch != held.epoch):
            raise Gone
        number = held.delivered if after is None else after.number
        if not held.first - 1 <= number <= held.last:
            raise Gone
        held.reader = _MemoryReader(held, number)
        held.delivered = number
        held.wake()
        return held.reader

    async def is_read(self, session_id: str, stream: str) -> bool:
        session = self._sessions.get(session_id)
        held = None if session is None else session.streams.get(stream)
        return held is not None and held.reader is not None

    def say(self, session_id: str, stream: str, message: bytes) -> None:
        """Append at once, whoever reads or does not."""
        held = self._opened(session_id, stream)
        self.keep(held, message)
        held.wake()

    def keep(self, held: _Stream, message: bytes) -> None:
        for _ in range(self._excess(held, message)):
            held.size_bytes -= len(held.events.popleft().data)
        held.last += 1
        held.events.append(Event(held.last, message))
        held.size_bytes += len(message)

    def fits(self, held: _Stream, message: bytes) -> bool:
        """Tell whether a reader loses nothing by one more message."""
        if held.reader is None:
            return True
        return held.first + self._excess(held, message) <= held.delivered + 1

    def _excess(self, held: _Stream, message: bytes) -> int:
        """Return how many events must go for ``message`` to be kept.

        The newest is kept, however large: it was not delivered yet.
        """
        events, size_bytes = len(held.events) + 1, held.size_bytes + len(message)
        excess = 0
        for event in held.events:
            if events <= self._limits.replay_events and (
                size_bytes <= self._limits.replay_bytes
            ):
                break
            excess, events, size_bytes = (
                excess + 1,
                events - 1,
                size_bytes - len(event.data),
            )
        return excess

    def closing(self, session_id: str, held: _Stream) -> None:
        if held.over:
            return
        session = self._sessions[session_id]
        held.closed = True
        session.close(held)
        self._closed[(session_id, held.name)] = self._clock()
        held.wake()
        while session.closed_bytes > self._limits.replay_session_bytes:
            oldest = session.unread()
            if oldest is None or oldest == held.name:
                break
            session.forget(oldest)
            del self._closed[(session_id, oldest)]

    def begin(self, session_id: str) -> None:
        """Let a session have streams, until they are dropped."""
        self._sessions[session_id] = _Session()

    def drop(self, session_id: str) -> None:
        """Forget every stream of a session."""
        session = self._sessions.pop(session_id, None) or _Session()
        for stream, held in session.streams.items():
            self._closed.pop((session_id, stream), None)
            held.dropped = True
            held.wake()

    def _opened(self, session_id: str, stream: str) -> _Stream:
        session = self._sessions.get(session_id)
        if session is None:
            # The session has ended meanwhile.
            return _Stream(stream, secrets.token_hex(4), dropped=True)
        held = session.streams.get(stream)
        if held is None:
            held = session.streams[stream] = _Stream(stream, secrets.token_hex(4))
        return held

    def _find(self, session_id: str, stream: str) -> _Stream:
        session = self._sessions.get(session_id)
        held = None if session is None else session.streams.get(stream)
        if held is None:
            raise Gone
        return held

    def _forget_old(self) -> None:
        before = self._clock() - self._limits.replay_age_s
        for (session_id, stream), closed_at in list(self._closed.items()):
            if closed_at >= before:
                break
            del self._closed[(session_id, stream)]
            self._sessions[session_id].forget(stream)


class _MemoryWriter:
    """A Writer."""

    def __init__(self, log: MemoryEvents, session_id: str, held: _Stream) -> None:
        self._log = log
        self._session_id = session_id
        self._held = held

    @property
    def start(self) -> Position:
        return Position(self._held.name, self._held.epoch, 0)

    async def append(
        self, messages: Sequence[bytes], answered: Collection[Id] = ()
    ) -> None:
        held = self._held
        for message in messages:
            while not held.over and not self._log.fits(held, message):
                held.wake()
                await held.moved()
            if held.over:
                return
            self._log.keep(held, message)
        held.wake()

    async def close(self) -> None:
        self._log.closing(self._session_id, self._held)


class _MemoryReader:
    """A Reader."""

    def __init__(self, held: _Stream, number: int) -> None:
        self._held = held
        self._number = number

    @property
    def position(self) -> Position:
        return Position(self._held.name, self._held.epoch, self._number)

    async def read(self) -> tuple[list[Event], bool]:
        held = self._held
        if held.reader is not self or held.dropped or self._number < held.first - 1:
            raise Gone
        if held.delivered < self._number:
            held.delivered = self._number
            held.wake()
        events = list(islice(held.events, self._number + 1 - held.first, None))
        if events:
            self._number = events[-1].number
        return events, held.closed

    async def wait(self, timeout_s: float) -> bool:
        held = self._held
        if held.reader is not self or held.over or held.last > self._number:
            return True
        return await held.moved(timeout_s)

    async def leave(self) -> None:
        if self._held.reader is self:
            self._held.reader = None
            self._held.wake()
