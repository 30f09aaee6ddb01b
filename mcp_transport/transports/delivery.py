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
# A burst is recorded in parts, so that its reader keeps pace with the window.
BURST = 100

_EVENT_ID = re.compile(r"([0-9a-z]{1,32})\.([0-9a-f]{1,32})\.([0-9]{1,15})")


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


class Deliveries:
    """Records exchanges in the event log and reads them back, for sessions."""

    def __init__(
        self, sessions: SessionStore, events: EventLog, limits: Limits
    ) -> None:
        self._sessions = sessions
        self._events = events
        self._limits = limits
        self._recordings: set[asyncio.Task[None]] = set()
        self._readers: dict[tuple[str, str], object] = {}

    async def record(
        self, session: Session, said: Iterable[bytes], exchanges: list[Exchange]
    ) -> str:
        """Record what was ``said`` and what the exchanges will say as a new
        stream; return its name. It goes on when nobody reads.
        """
        stream = secrets.token_hex(8)
        await self._events.open(session.id, stream)
        for message in said:
            await self._events.append(session.id, stream, message)
        task = asyncio.create_task(self._record(session, stream, exchanges))
        self._recordings.add(task)
        task.add_done_callback(self._recordings.discard)
        return stream

    async def _record(
        self, session: Session, stream: str, exchanges: list[Exchange]
    ) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for exchange in exchanges:
                    group.create_task(self._follow(session, stream, exchange))
        finally:
            await self._events.close(session.id, stream)

    async def _follow(self, session: Session, stream: str, exchange: Exchange) -> None:
        while True:
            messages = exchange.take()
            for start in range(0, len(messages), BURST):
                for message in messages[start : start + BURST]:
                    await self._events.append(session.id, stream, message)
                await asyncio.sleep(0)
            if exchange.hang_up_ms is not None:
                # A bare number in the log is no message: it ends a connection.
                hang_up, exchange.hang_up_ms = exchange.hang_up_ms, None
                await self._events.append(session.id, stream, b"%d" % hang_up)
            if exchange.over:
                return
            await exchange.wait()

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
        reader, key = object(), (session.id, stream)
        self._readers[key] = reader

        def release() -> None:
            if self._readers.get(key) is reader:
                del self._readers[key]

        return self._read(session, stream, after, reader), release

    async def _read(
        self, session: Session, stream: str, after: int, reader: object
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
