"""How the messages of an exchange become the body of an HTTP response.

A stateless call is written to its connection and dies with it. A stateful one
is recorded in the event log, and whoever holds the position reads it from
there: the connection that asked, or the one that comes back for the rest.

Spec: 2025-11-25 basic/transports #resumability-and-redelivery;
2026-07-28 basic/transports/streamable-http.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Iterable

from mcp_transport.engine.eventlog import Event, EventLog, Gone
from mcp_transport.engine.exchange import Exchange
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.session import Session, SessionStore
from mcp_transport.protocol.framing import sse_comment, sse_event

# The stream of a session for what belongs to no request.
STANDING = "0"
# What a client waits before it comes back, unless a tool says otherwise.
RETRY_MS = 1000

_EVENT_ID = re.compile(r"([0-9a-z]{1,32})\.([0-9a-f]{1,32})\.([0-9]{1,15})")


StreamKey = tuple[str, str]  # the ids of a session and of a stream of its own
Readers = dict[StreamKey, "_Reader"]


async def first_words(exchanges: Collection[Exchange], silence_s: float) -> None:
    """Wait until each has its response, one says something before its own, or
    nobody says anything for ``silence_s``.
    """
    while not any(exchange.ready and not exchange.done for exchange in exchanges):
        waiting = [asyncio.ensure_future(e.wait()) for e in exchanges if not e.done]
        if not waiting:
            return
        try:
            spoken, _ = await asyncio.wait(
                waiting, timeout=silence_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for wait in waiting:
                wait.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        if not spoken:
            return


async def live(exchange: Exchange, limits: Limits) -> AsyncIterator[bytes]:
    """Write what the exchange says as it comes, several messages at a time."""
    if not exchange.ready:
        # Servers send the headers with the first piece of the body.
        yield sse_comment()
    while True:
        messages = exchange.take()
        if messages:
            yield b"".join([sse_event(message) for message in messages])
        if exchange.over:
            return
        if not await exchange.wait(limits.keep_alive_s):
            yield sse_comment()


class _Reader:
    """One connection that reads a stream, and how far it is."""

    __slots__ = ("_moved", "after", "left")

    def __init__(self, after: int) -> None:
        self.after = after
        self.left = False
        self._moved: asyncio.Future[None] | None = None

    def move(self, after: int) -> None:
        self.after = after
        self._wake()

    def leave(self) -> None:
        self.left = True
        self._wake()

    def _wake(self) -> None:
        if self._moved is not None and not self._moved.done():
            self._moved.set_result(None)

    async def reach(self, number: int) -> None:
        """Wait until everything up to ``number`` was read, or nobody reads."""
        while self.after < number and not self.left:
            if self._moved is None or self._moved.done():
                self._moved = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._moved)


class _Recording:
    """Writes one stream, no further ahead of its reader than the window reaches.

    Without that, a burst would push out of the window what a healthy client is
    about to read. Where nobody reads, the newest events are kept.
    """

    def __init__(
        self, events: EventLog, key: StreamKey, readers: Readers, limits: Limits
    ) -> None:
        self._events = events
        self._key = key
        self._readers = readers
        self._limits = limits
        self._reader: _Reader | None = None
        self._written = 0
        self._ahead = 0
        self._ahead_bytes = 0

    async def append(self, message: bytes) -> None:
        self._ahead += 1
        self._ahead_bytes += len(message)
        reader = self._readers.get(self._key)
        if reader is not None and (
            reader is not self._reader
            or self._ahead > self._limits.replay_events
            or self._ahead_bytes > self._limits.replay_bytes
        ):
            await reader.reach(self._written)
            self._reader = reader
            self._ahead, self._ahead_bytes = 1, len(message)
        self._written += 1
        await self._events.append(*self._key, message)

    async def close(self) -> None:
        await self._events.close(*self._key)


class Deliveries:
    """Records exchanges in the event log and reads them back, for sessions."""

    def __init__(
        self, sessions: SessionStore, events: EventLog, limits: Limits
    ) -> None:
        self._sessions = sessions
        self._events = events
        self._limits = limits
        self._recordings: set[asyncio.Task[None]] = set()
        self._readers: Readers = {}

    async def record(
        self, session: Session, said: Iterable[bytes], exchanges: list[Exchange]
    ) -> str:
        """Record what was ``said`` and what the exchanges will say as a new
        stream; return its name. It goes on when nobody reads.
        """
        key = (session.id, secrets.token_hex(8))
        await self._events.open(*key)
        recording = _Recording(self._events, key, self._readers, self._limits)
        task = asyncio.create_task(_record(recording, said, exchanges))
        self._recordings.add(task)
        task.add_done_callback(self._recordings.discard)
        return key[1]

    async def tell(self, session: Session, message: bytes) -> None:
        """Say something that belongs to no request."""
        await self._events.open(session.id, STANDING)
        await self._events.append(session.id, STANDING, message)

    def position(self, last_event_id: str) -> tuple[str, int]:
        """Return the stream and number that an event id names.

        Raises Gone for an id that this log never gave.
        """
        matched = _EVENT_ID.fullmatch(last_event_id)
        if matched is None or matched[2] != self._events.epoch:
            raise Gone
        return matched[1], int(matched[3])

    def is_read(self, session: Session, stream: str) -> bool:
        return (session.id, stream) in self._readers

    async def read(
        self, session: Session, stream: str, after: int
    ) -> tuple[AsyncIterator[bytes], Callable[[], None]]:
        """Return the stream's events behind number ``after``, as they come, and
        what to call when their connection has ended.

        Reading takes the stream over from whoever read it before.
        Raises Gone at once when it cannot be read without a gap.
        """
        if stream == STANDING:
            await self._events.open(session.id, STANDING)
        await self._events.read(session.id, stream, after)
        loop, key = asyncio.get_running_loop(), (session.id, stream)
        before = self._readers.get(key)
        if before is not None:
            before.leave()
        reader = self._readers[key] = _Reader(after)

        def release() -> None:
            # Django's own handler closes a response on another thread.
            loop.call_soon_threadsafe(self._release, key, reader)

        return self._read(session, stream, after, reader), release

    def _release(self, key: StreamKey, reader: _Reader) -> None:
        reader.leave()
        if self._readers.get(key) is reader:
            del self._readers[key]

    async def _read(
        self, session: Session, stream: str, after: int, reader: _Reader
    ) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + self._limits.stream_age_s
        if session.peer is not None and session.peer.revision.primes_streams:
            yield self._hang_up(stream, after, RETRY_MS)
        else:
            # Servers send the headers with the first piece of the body.
            yield sse_comment()
        while self._readers.get((session.id, stream)) is reader:
            try:
                events, closed = await self._events.read(session.id, stream, after)
            except Gone:
                return
            if events:
                yield b"".join([self._event(stream, event) for event in events])
                after = events[-1].number
                reader.move(after)
                self._delivered(session, stream, after)
                if any(event.data.isdigit() for event in events):
                    return
            elif closed:
                return
            elif loop.time() >= ends_at:
                yield b"retry: %d\n\n" % RETRY_MS
                return
            elif await self._silence(session, stream, after):
                yield sse_comment()

    async def _silence(self, session: Session, stream: str, after: int) -> bool:
        """Wait for the next event; True when a sign of life is due instead."""
        started = asyncio.get_running_loop().time()
        await self._events.wait(session.id, stream, after, self._limits.keep_alive_s)
        if asyncio.get_running_loop().time() - started < self._limits.keep_alive_s:
            return False
        # An open stream keeps its session; an ended session has no streams.
        await self._sessions.get(session.id, session.subject)
        return True

    def _delivered(self, session: Session, stream: str, number: int) -> None:
        if stream == STANDING:
            session.delivered = max(session.delivered, number)

    def _event(self, stream: str, event: Event) -> bytes:
        if event.data.isdigit():
            return self._hang_up(stream, event.number, int(event.data))
        return sse_event(event.data, id=self._id(stream, event.number))

    def _hang_up(self, stream: str, number: int, retry_ms: int) -> bytes:
        """An event without a message: a place and a time to come back to.

        Spec: 2025-11-25 basic/transports #sending-messages-to-the-server.
        """
        return sse_event(
            b"", event=None, id=self._id(stream, number), retry_ms=retry_ms
        )

    def _id(self, stream: str, number: int) -> str:
        return f"{stream}.{self._events.epoch}.{number}"


async def _record(
    recording: _Recording, said: Iterable[bytes], exchanges: list[Exchange]
) -> None:
    try:
        for message in said:
            await recording.append(message)
        async with asyncio.TaskGroup() as group:
            for exchange in exchanges:
                group.create_task(_follow(recording, exchange))
    finally:
        await recording.close()


async def _follow(recording: _Recording, exchange: Exchange) -> None:
    while True:
        for message in exchange.take():
            await recording.append(message)
        if exchange.hang_up_ms is not None:
            # A bare number in the log is no message: it ends a connection.
            hang_up, exchange.hang_up_ms = exchange.hang_up_ms, None
            await recording.append(b"%d" % hang_up)
        if exchange.over:
            return
        await exchange.wait()
