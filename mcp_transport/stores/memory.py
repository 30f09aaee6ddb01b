"""Sessions and events in this process's memory: the default, for one process.

Spec: 2025-11-25 basic/transports #session-management, #resumability-and-redelivery.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass, field

from mcp_transport.engine.changes import Change
from mcp_transport.engine.eventlog import STANDING
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.presence import (
    Census,
    SeenSession,
    SeenStream,
    Streams,
    seen_session,
    session_handle,
)
from mcp_transport.engine.session import Claimed, Session
from mcp_transport.engine.signals import (
    Announced,
    CatalogueChanged,
    Ended,
    Hear,
    Signal,
)
from mcp_transport.protocol.messages import Id, encode_notification
from mcp_transport.stores.memory_events import Clock, MemoryEvents

SWEEP_EVERY_S = 60
# How many ids of requests a session remembers.
MAX_CLAIMS = 1000


class MemoryStore:
    """A Store of one process."""

    def __init__(self, limits: Limits, clock: Clock = time.monotonic) -> None:
        self.events = MemoryEvents(limits, clock)
        self.sessions = MemorySessions(limits, self.events, clock)
        self.signals = MemorySignals(self.sessions, self.events)
        self.presence = MemoryPresence(self.sessions, self.signals)


@dataclass(slots=True, eq=False)
class _Kept:
    """A session, its times and the ids of its requests, oldest first."""

    session: Session
    created_at: float
    used_at: float
    claims: dict[Id, None] = field(default_factory=dict)

    def claim(self, request_ids: Collection[Id]) -> None:
        """Claim all of them, or none. Raises Claimed."""
        claimed: dict[Id, None] = {}
        for request_id in request_ids:
            if request_id in self.claims or request_id in claimed:
                raise Claimed(request_id)
            claimed[request_id] = None
        self.claims |= claimed
        while len(self.claims) > MAX_CLAIMS:
            del self.claims[next(iter(self.claims))]


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
        self._kept: dict[str, _Kept] = {}
        self._by_subject: dict[str, dict[str, _Kept]] = {}
        self._swept_at = clock()

    async def add(self, session: Session) -> None:
        now = self._clock()
        if now - self._swept_at > SWEEP_EVERY_S:
            self._sweep(now)
        if session.id in self._kept:
            return
        own = self._by_subject.get(session.subject, {})
        if len(own) >= self._limits.max_sessions:
            self._end(min(own.values(), key=lambda kept: kept.used_at).session.id)
        self._events.loop = asyncio.get_running_loop()
        self._events.begin(session.id)
        kept = self._kept[session.id] = _Kept(session, now, now)
        self._by_subject.setdefault(session.subject, {})[session.id] = kept

    async def get(
        self, id: str, subject: str, claims: Collection[Id] = ()
    ) -> Session | None:
        kept = self._kept.get(id)
        if kept is None or kept.session.subject != subject:
            return None
        now = self._clock()
        if self._expired(kept, now):
            self._end(id)
            return None
        kept.used_at = now
        kept.claim(claims)
        return kept.session

    async def save(self, session: Session) -> None:
        """The session in memory is the one that was changed."""

    async def remove(self, id: str) -> None:
        self._end(id)

    def count(self) -> int:
        now = self._clock()
        return sum(not self._expired(kept, now) for kept in list(self._kept.values()))

    def wanting(self, change: Change) -> list[str]:
        """Return the ids of the sessions that are to hear of ``change``."""
        self._sweep(self._clock())
        return [id for id, kept in self._kept.items() if kept.session.wants(change)]

    def census(self, most: int) -> Census[SeenSession]:
        """Return those that were used last. Any thread may ask."""
        now, wall = self._clock(), time.time()
        kept = [one for one in list(self._kept.values()) if not self._expired(one, now)]
        kept.sort(key=lambda one: one.used_at, reverse=True)
        seen = (
            seen_session(
                one.session, wall - (now - one.created_at), wall - (now - one.used_at)
            )
            for one in kept[:most]
        )
        return Census(tuple(seen), len(kept))

    def called(self, handle: str) -> str | None:
        """Return the id of the session that has this handle."""
        ids = (id for id in list(self._kept) if session_handle(id) == handle)
        return next(ids, None)

    def _end(self, id: str) -> None:
        kept = self._kept.pop(id, None)
        if kept is not None:
            own = self._by_subject[kept.session.subject]
            del own[id]
            if not own:
                del self._by_subject[kept.session.subject]
            self._events.drop(id)

    def _sweep(self, now: float) -> None:
        self._swept_at = now
        for id, kept in list(self._kept.items()):
            if self._expired(kept, now):
                self._end(id)

    def _expired(self, kept: _Kept, now: float) -> bool:
        return (
            now - kept.used_at > self._limits.session_idle_s
            or now - kept.created_at > self._limits.session_age_s
        )


class MemorySignals:
    """Signals where there is no other process: all that is told stays here."""

    def __init__(self, sessions: MemorySessions, events: MemoryEvents) -> None:
        self._sessions = sessions
        self._events = events
        self._hearing: list[Hear] = []

    def listen(self, hear: Hear) -> None:
        self._hearing.append(hear)

    def say(self, signal: Signal) -> None:
        """Tell this process what no client said."""
        for hear in self._hearing:
            hear(signal)

    def attend(self) -> None:
        """Nobody else says anything."""

    async def send(self, signal: Signal) -> None:
        """What concerned nothing in this process concerns nothing."""

    def announce(self, change: Announced) -> None:
        loop = self._events.loop
        if loop is None or loop.is_closed() or isinstance(change, CatalogueChanged):
            return
        loop.call_soon_threadsafe(self._tell, change)

    def _tell(self, change: Change) -> None:
        message = encode_notification(*change.notification)
        for id in self._sessions.wanting(change):
            self._events.say(id, STANDING, message)


class MemoryPresence:
    """Presence where there is no other process."""

    def __init__(self, sessions: MemorySessions, signals: MemorySignals) -> None:
        self._sessions = sessions
        self._signals = signals
        self._streams: Streams | None = None

    def watch(self, streams: Streams) -> None:
        self._streams = streams

    def changed(self) -> None:
        """Whoever asks looks at the streams themselves."""

    async def sessions(self, most: int) -> Census[SeenSession]:
        return self._sessions.census(most)

    async def streams(self, most: int) -> Census[SeenStream]:
        return Census((), 0) if self._streams is None else self._streams.census(most)

    async def end_session(self, handle: str) -> bool:
        id = self._sessions.called(handle)
        if id is None:
            return False
        await self._sessions.remove(id)
        self._signals.say(Ended(id))
        return True

    async def end_stream(self, handle: str) -> bool:
        return self._streams is not None and self._streams.dismiss(handle)
