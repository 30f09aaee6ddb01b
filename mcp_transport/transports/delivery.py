"""How the messages of an exchange become the body of an HTTP response.

A call that nobody can come back to is written to its connection and dies with
it. Any other is recorded in the event log, and whoever holds the position reads
it from there: the connection that asked, or the one that comes back for the
rest, in this process or another.

Spec: 2025-11-25 basic/transports #resumability-and-redelivery;
2026-07-28 basic/transports/streamable-http.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from functools import cache
from typing import Any, Protocol

from django.core.signals import setting_changed

from mcp_transport.conf import get_conf, get_store
from mcp_transport.engine.eventlog import (
    STANDING,
    Event,
    Gone,
    Position,
    Reader,
    Writer,
)
from mcp_transport.engine.exchange import Exchange
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.session import Session
from mcp_transport.engine.store import Store, StoreUnavailable
from mcp_transport.protocol.framing import sse_comment, sse_event
from mcp_transport.protocol.messages import Request
from mcp_transport.transports.goodbye import GOING_AWAY, hears_notices
from mcp_transport.transports.replies import RETRY_MS, come_back

logger = logging.getLogger("mcp_transport")


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


async def live(
    exchange: Exchange, limits: Limits, framed: Callable[[bytes], bytes] = sse_event
) -> AsyncIterator[bytes]:
    """Write what the exchange says as it comes, several messages at a time."""
    if not exchange.ready:
        # Servers send the headers with the first piece of the body.
        yield sse_comment()
    while True:
        if exchange.pending:
            # Not kept by a name: whoever reads slowly holds this for long.
            yield b"".join([framed(message) for message in exchange.take()])
        if exchange.over:
            return
        if not await exchange.wait(limits.keep_alive_s):
            yield sse_comment()


class Framing(Protocol):
    """How one door writes a stream of the event log as server-sent events."""

    def opening(self, position: Position) -> bytes:
        """What comes first: servers send the headers with it."""
        ...

    def event(self, position: Position, message: bytes) -> bytes:
        """One message; ``position`` is the place behind it."""
        ...

    def parting(self, position: Position, retry_ms: int) -> bytes:
        """What comes last on a connection that is let go before its stream ends."""
        ...


class Deliveries:
    """Records exchanges in the event log and reads them back, for sessions."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._sessions = store.sessions
        self._events = store.events
        self._limits = limits
        self._tasks: set[asyncio.Task[None]] = set()

    async def record(
        self, session: Session, said: Sequence[bytes], exchanges: list[Exchange]
    ) -> Position:
        """Record what was ``said`` and what the exchanges will say as a new
        stream; return its start. It goes on when nobody reads.
        """
        writer = await self._writer(session, secrets.token_hex(8), exchanges)
        self._spawn(self._record(session, writer, said, exchanges))
        return writer.start

    async def record_into(
        self, session: Session, stream: str, exchange: Exchange
    ) -> None:
        """Record one exchange on a stream that others write to as well."""
        writer = await self._writer(session, stream, [exchange])
        self._spawn(self._follow(session, writer, exchange))

    async def say(self, session: Session, stream: str, message: bytes) -> None:
        """Record one message on a stream that others write to as well."""
        writer = await self._writer(session, stream, [])
        # Not in the task of a request, which may be cancelled halfway.
        self._spawn(writer.append([message]))

    async def _writer(
        self, session: Session, stream: str, exchanges: Sequence[Exchange]
    ) -> Writer:
        awaited = [e.request_id for e in exchanges if _wants_response(e)]
        return await self._events.write(session.id, stream, awaited)

    async def _record(
        self,
        session: Session,
        writer: Writer,
        said: Sequence[bytes],
        exchanges: list[Exchange],
    ) -> None:
        try:
            if said:
                await writer.append(said)
            async with asyncio.TaskGroup() as group:
                for exchange in exchanges:
                    group.create_task(self._follow(session, writer, exchange))
        finally:
            await writer.close()

    async def _follow(
        self, session: Session, writer: Writer, exchange: Exchange
    ) -> None:
        """Append what the exchange says until it is over."""
        while True:
            said = exchange.take()
            hang_up_ms, exchange.hang_up_ms = exchange.hang_up_ms, None
            if hang_up_ms is not None and writer.start.stream != STANDING:
                # A bare number in the log is no message: it ends a connection, but
                # none that others are answered on as well.
                said.append(b"%d" % hang_up_ms)
            if exchange.over:
                await self.save(session)
                settled = [exchange.request_id] if _wants_response(exchange) else []
                if said or settled:
                    await writer.append(said, settled)
                return
            if said:
                await writer.append(said)
            await exchange.wait()

    async def save(self, session: Session) -> None:
        """What a request changed is kept before its response can be seen."""
        while True:
            try:
                return await self._sessions.save(session)
            except StoreUnavailable:
                logger.warning("a session waits to be kept: no store")

    async def goodbye(self, session: Session) -> bytes:
        """Return what is said last on a session's stream before a restart."""
        try:
            known = await self._sessions.get(session.id, session.subject)
        except StoreUnavailable:
            return await come_back()
        told = known is not None and hears_notices(known)
        return (sse_event(GOING_AWAY) if told else b"") + await come_back()

    def __len__(self) -> int:
        """How many recordings have not come to their end."""
        return len(self._tasks)

    async def settle(self, timeout_s: float) -> None:
        """Wait until all that was said so far is recorded."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)

    async def is_read(self, session: Session, stream: str) -> bool:
        return await self._events.is_read(session.id, stream)

    async def read(
        self,
        session: Session,
        stream: str,
        after: Position | None,
        framing: Framing,
        age_s: float,
    ) -> tuple[AsyncIterator[bytes], Callable[[], None]]:
        """Return what is on the stream behind ``after``, or behind what was
        delivered last, for ``age_s`` seconds; and what to call when the
        connection has ended.

        Reading takes the stream over from whoever read it before.
        Raises Gone at once when it cannot be read without a gap.
        """
        loop = asyncio.get_running_loop()
        reader = await self._events.read(session.id, stream, after)

        def release() -> None:
            # Django's own handler closes a response on another thread.
            loop.call_soon_threadsafe(lambda: self._spawn(reader.leave()))

        return self._read(session, reader, framing, loop.time() + age_s), release

    async def _read(
        self, session: Session, reader: Reader, framing: Framing, ends_at: float
    ) -> AsyncIterator[bytes]:
        yield framing.opening(reader.position)
        while True:
            before = reader.position
            try:
                events, closed = await reader.read()
            except Gone:
                return
            except StoreUnavailable:
                # The connection stays: it goes on where it was.
                yield sse_comment()
                continue
            if events:
                yield b"".join([_framed(framing, before, event) for event in events])
                if any(event.data.isdigit() for event in events):
                    return
            elif closed:
                return
            elif asyncio.get_running_loop().time() >= ends_at:
                yield framing.parting(reader.position, RETRY_MS)
                return
            elif not await reader.wait(self._limits.keep_alive_s):
                yield sse_comment()
                await self._keep(session)

    async def _keep(self, session: Session) -> None:
        """An open stream keeps its session; an ended session has no streams."""
        try:
            await self._sessions.get(session.id, session.subject)
        except StoreUnavailable:
            logger.warning("a session could not be kept alive: no store")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@cache
def get_deliveries() -> Deliveries:
    return Deliveries(get_store(), get_conf().limits)


def _forget(*, setting: str, **_: object) -> None:
    if setting == "MCP":
        get_deliveries.cache_clear()


setting_changed.connect(_forget, dispatch_uid="mcp_transport.delivery")


def _framed(framing: Framing, before: Position, event: Event) -> bytes:
    position = Position(before.stream, before.epoch, event.number)
    if event.data.isdigit():
        return framing.parting(position, int(event.data))
    return framing.event(position, event.data)


def _wants_response(exchange: Exchange) -> bool:
    return isinstance(exchange.arrival.message, Request)
