"""Sessions and events in this process's memory: the default, for one process.

Spec: 2025-11-25 basic/transports #session-management, #resumability-and-redelivery.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice

from mcp_transport.engine.eventlog import Event, Gone
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.session import Session

Clock = Callable[[], float]
SWEEP_EVERY_S = 60


@dataclass(slots=True, eq=False)
class _Stream:
    events: deque[Event] = field(default_factory=deque)
    size_bytes: int = 0
    last: int = 0
    closed: bool = False
    waiters: set[asyncio.Future[None]] = field(default_factory=set)

    def wake(self) -> None:
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)


class MemoryEvents:
    """An EventLog. A stream keeps its newest events within the bounds, and all
    of it goes some time after it was closed.
    """

    def __init__(self, limits: Limits, clock: Clock = time.monotonic) -> None:
        self.epoch = secrets.token_hex(4)
        self._limits = limits
        self._clock = clock
        self._streams: dict[str, dict[str, _Stream]] = {}
        self._closed: dict[tuple[str, str], float] = {}

    async def open(self, session_id: str, stream: str) -> None:
        self._forget_old()
        self._streams.setdefault(session_id, {}).setdefault(stream, _Stream())

    async def append(self, session_id: str, stream: str, data: bytes) -> None:
        held = self._find(session_id, stream)
        if held is None or held.closed:
            return
        held.last += 1
        held.events.append(Event(held.last, data))
        held.size_bytes += len(data)
        # The newest event stays, however large: it was not delivered yet.
        while len(held.events) > 1 and (
            len(held.events) > self._limits.replay_events
            or held.size_bytes > self._limits.replay_bytes
        ):
            held.size_bytes -= len(held.events.popleft().data)
        held.wake()

    async def close(self, session_id: str, stream: str) -> None:
        held = self._find(session_id, stream)
        if held is not None and not held.closed:
            held.closed = True
            self._closed[(session_id, stream)] = self._clock()
            held.wake()

    async def read(
        self, session_id: str, stream: str, after: int
    ) -> tuple[list[Event], bool]:
        held = self._find(session_id, stream)
        if held is None or after > held.last:
            raise Gone
        first = held.events[0].number if held.events else held.last + 1
        if after + 1 < first:
            raise Gone
        return list(islice(held.events, after + 1 - first, None)), held.closed

    async def wait(
        self, session_id: str, stream: str, after: int, timeout_s: float
    ) -> None:
        held = self._find(session_id, stream)
        if held is None or held.last > after or held.closed:
            return
        waiter = asyncio.get_running_loop().create_future()
        held.waiters.add(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                await waiter
        except TimeoutError:
            return
        finally:
            held.waiters.discard(waiter)

    async def drop(self, session_id: str) -> None:
        for stream, held in self._streams.pop(session_id, {}).items():
            self._closed.pop((session_id, stream), None)
            held.closed = True
            held.wake()

    def _find(self, session_id: str, stream: str) -> _Stream | None:
        return self._streams.get(session_id, {}).get(stream)

    def _forget_old(self) -> None:
        before = self._clock() - self._limits.replay_age_s
        for (session_id, stream), closed_at in list(self._closed.items()):
            if closed_at >= before:
                break
            del self._closed[(session_id, stream)]
            self._streams.get(session_id, {}).pop(stream, None)


class MemorySessions:
    """A SessionStore. Sessions end when idle or old, and at a caller's cap the
    one that was idle longest makes room. Their streams go with them.
    """

    def __init__(
        self, limits: Limits, events: MemoryEvents, clock: Clock = time.monotonic
    ) -> None:
        self._limits = limits
        self._events = events
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._by_subject: dict[str, dict[str, Session]] = {}
        self._swept_at = clock()

    async def add(self, session: Session) -> None:
        now = self._clock()
        if now - self._swept_at > SWEEP_EVERY_S:
            await self._sweep(now)
        own = self._by_subject.get(session.subject, {})
        if len(own) >= self._limits.max_sessions:
            await self.remove(min(own.values(), key=lambda held: held.used_at).id)
        session.created_at = session.used_at = now
        self._sessions[session.id] = session
        self._by_subject.setdefault(session.subject, {})[session.id] = session

    async def get(self, id: str, subject: str) -> Session | None:
        session = self._sessions.get(id)
        if session is None or session.subject != subject:
            return None
        now = self._clock()
        if self._expired(session, now):
            await self.remove(id)
            return None
        session.used_at = now
        return session

    async def save(self, session: Session) -> None:
        """The session in memory is the one that was changed."""

    async def remove(self, id: str) -> None:
        session = self._sessions.pop(id, None)
        if session is not None:
            own = self._by_subject[session.subject]
            del own[id]
            if not own:
                del self._by_subject[session.subject]
            await self._events.drop(id)

    async def all(self) -> Iterable[Session]:
        await self._sweep(self._clock())
        return list(self._sessions.values())

    async def _sweep(self, now: float) -> None:
        self._swept_at = now
        for session in list(self._sessions.values()):
            if self._expired(session, now):
                await self.remove(session.id)

    def _expired(self, session: Session, now: float) -> bool:
        return (
            now - session.used_at > self._limits.session_idle_s
            or now - session.created_at > self._limits.session_age_s
        )
