"""The one receive loop of every connection that carries messages both ways.

A message gets a task of its own as soon as it has to wait, so that a tool that
asks does not block its own answer, and a cancel arrives in time. The rules are
those of stdio: no headers, and answers are told apart by their ids.

Spec: 2026-07-28 basic/transports/stdio, basic/transports #custom-transports.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.changes import Change
from mcp_transport.engine.exchange import Arrival, Binding, Exchange
from mcp_transport.engine.observing import Connection, tell_began, tell_ended
from mcp_transport.engine.server import Server
from mcp_transport.engine.session import Session
from mcp_transport.protocol.errors import (
    TOO_MANY_REQUESTS,
    ProtocolError,
    invalid_request,
)
from mcp_transport.protocol.lifecycle import Phase
from mcp_transport.protocol.messages import (
    Batch,
    Message,
    Notification,
    Request,
    encode_error,
    encode_notification,
    parse,
)
from mcp_transport.protocol.peer import Peer, claimed_version, unsupported_version
from mcp_transport.transports.goodbye import GOING_AWAY, hears_notices
from mcp_transport.transports.tapped import Tapped

logger = logging.getLogger("mcp_transport")


class Flooded(ProtocolError):
    """The client goes on asking although it was refused: the connection ends."""


class GoingAway(Exception):
    """The server stops: what runs is answered yet, and nothing more is taken."""


class Transport(Protocol):
    """One connection to one client, and all that a door of your own must be.

    A message is one JSON-RPC message as UTF-8 bytes, without a line end. The
    caller was authenticated before ``serve`` is given the connection.
    """

    async def start(self) -> None:
        """Make the connection ready. Called once, before anything else."""
        ...

    async def receive(self) -> bytes | None:
        """Return the next message, or None when the client has no more to say.

        Raises ProtocolError for a message that cannot be read, such as one that
        is too long: it is answered, and the next one is asked for. Raises GoingAway
        when the server is about to stop.
        """
        ...

    async def send(self, message: bytes) -> None:
        """Deliver one message, in order. Raises ConnectionError when it cannot."""
        ...

    async def close(self) -> None:
        """End the connection. Called once, after everything else."""
        ...

    def error(self, error: ProtocolError) -> None:
        """Hear of a message from the client that could not be taken. Flooded is
        the last one.
        """
        ...


async def serve(
    server: Server,
    transport: Transport,
    caller: Caller,
    binding: Binding,
    *,
    patience_s: float = 0,
    linger_s: float = 0,
    met: Callable[[Peer], None] = lambda peer: None,
    record: Connection | None = None,
) -> None:
    """Serve one connection until the client goes; then end what still runs.

    Where a client can be kept waiting, a message that finds as many requests
    running as may is given ``patience_s`` seconds before it is taken. Where one
    can have no more to say and still listen, calls that run by then have
    ``linger_s`` seconds to end and to be answered. ``met`` is told with each request
    who the client says it is, and the observers are told of the connection: ``record``
    is what they are given, in which a door can say why the connection ended.
    """
    if server.wire is not None:
        transport = Tapped(transport, server.wire, binding.name)
    await transport.start()
    record = record or Connection(door=binding.name, caller=caller)
    connection = _Connection(server, transport, caller, binding, met, record)
    tell_began(server.observers, record)
    ending = "failed"
    try:
        ending = await connection.last(patience_s, linger_s)
    except asyncio.CancelledError:
        ending = "going_away"
        raise
    finally:
        try:
            await connection.end()
        finally:
            tell_ended(server.observers, record, ending)
            await transport.close()


class _Connection:
    """What is known of one connection while it lasts: its session, its calls."""

    def __init__(
        self,
        server: Server,
        transport: Transport,
        caller: Caller,
        binding: Binding,
        met: Callable[[Peer], None],
        record: Connection,
    ) -> None:
        self._server = server
        self._transport = transport
        self._caller = caller
        self._binding = binding
        self._met = met
        self._record = record
        self._session = Session.new(caller, binding.name)
        self._stateless = False
        self._exchanges: dict[str | int, Exchange] = {}
        self._refused = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._sending = asyncio.Lock()
        self._stop_listening = server.changes.subscribe(self._changed)

    async def last(self, patience_s: float, linger_s: float) -> str:
        """Take what comes until nothing more does; return why."""
        try:
            while await self.take():
                await self.room(patience_s)
            await self.linger(linger_s)
        except GoingAway:
            await self.part()
            return "going_away"
        except ConnectionError:
            logger.info("a %s connection broke", self._binding.name)
            return "broken"
        return "client_left"

    async def take(self) -> bool:
        """Take one frame in; what has to wait goes on in a task.

        False when there are no more.
        """
        try:
            data = await self._transport.receive()
            if data is None:
                return False
            self._record.received += 1
            messages = self._unbatched(parse(data))
        except ProtocolError as error:
            messages = (error,)
        for message in messages:
            try:
                await self._open(message)
            except ProtocolError as error:
                self._transport.error(error)
                await self._send(encode_error(error.request_id, error))
                if isinstance(error, Flooded):
                    self._record.ending = "too_many"
                    return False
        return True

    def _unbatched(self, parsed: Message | Batch) -> Batch:
        """Raises ProtocolError (-32600) for a batch where there are none."""
        if not isinstance(parsed, tuple):
            return (parsed,)
        peer = self._session.peer
        if peer is None or not peer.revision.batching:
            raise invalid_request("this revision has no batches")
        return parsed

    async def _open(self, message: Message | ProtocolError) -> None:
        if isinstance(message, ProtocolError):
            raise message
        if isinstance(message, Request):
            self._admit(message)
        elif isinstance(message, Notification) and (
            message.method == "notifications/cancelled"
        ):
            self._cancel(message.params.get("requestId"))
            return
        exchange = self._server.open(
            Arrival(message, self._binding, self._caller, session=self._session)
        )
        if isinstance(message, Request) and not exchange.refused:
            self._meet(exchange.peer)
        if exchange.done:
            await self._deliver(exchange)
            return
        assert isinstance(message, Request)
        self._exchanges[message.id] = exchange
        self._spawn(self._follow(exchange, message))

    def _admit(self, message: Request) -> None:
        """Hold the connection to the era that its first message chose.

        Raises ProtocolError: -32600 for an id in use, -32022 for a handshake on
        a stateless connection, 429 where too many requests run already.
        """
        if message.id in self._exchanges:
            raise _about(message, invalid_request("this id is in use"))
        if claimed_version(message.params) is not None:
            # Discovery is a probe: a client may still go on to a handshake.
            if message.method != "server/discover":
                self._stateless = True
        elif message.method == "initialize" and self._stateless:
            version = message.params.get("protocolVersion")
            raise _about(message, unsupported_version(version, self._binding.stateless))
        self._count(message)

    @property
    def _full(self) -> bool:
        return len(self._exchanges) >= self._server.limits.max_in_flight

    @property
    def _crowded(self) -> bool:
        """Tell whether the next call might be one too many for its caller."""
        limits = self._server.limits
        most = min(limits.max_in_flight, self._caller.max_calls or limits.max_calls)
        return len(self._exchanges) >= most

    def _count(self, message: Request) -> None:
        """Raises Flooded for a client that was refused that often in a row already."""
        if not self._full:
            self._refused = 0
            return
        limit = self._server.limits.max_in_flight
        self._refused += 1
        kind = ProtocolError if self._refused <= limit else Flooded
        said = f"more than {limit} requests are in flight"
        raise _about(message, kind(TOO_MANY_REQUESTS, said))

    def _cancel(self, request_id: object) -> None:
        """Spec: 2026-07-28 basic/patterns/cancellation: nothing more is sent."""
        if not isinstance(request_id, str | int) or isinstance(request_id, bool):
            return
        exchange = self._exchanges.get(request_id)
        if exchange is not None:
            exchange.end()
            exchange.call.cancel()

    async def _follow(self, exchange: Exchange, message: Request) -> None:
        try:
            while not exchange.done:
                await exchange.wait()
                exchange.hang_up_ms = None
                await self._deliver(exchange)
            await self._deliver(exchange)
        except ConnectionError:
            exchange.leave()
        finally:
            del self._exchanges[message.id]

    async def _deliver(self, exchange: Exchange) -> None:
        for message in exchange.take():
            await self._send(message)

    async def _send(self, message: bytes) -> None:
        async with self._sending:
            await self._transport.send(message)
            self._record.sent += 1
            self._record.sent_bytes += len(message)

    def _meet(self, peer: Peer) -> None:
        self._record.client, self._record.revision = peer.info, peer.revision.name
        self._met(peer)

    def _changed(self, change: Change) -> None:
        """Tell a session what changed; a stateless client listens by request."""
        if self._session.phase is Phase.READY and self._session.wants(change):
            self._spawn(self._tell(encode_notification(*change.notification)))

    async def _tell(self, message: bytes) -> None:
        try:
            await self._send(message)
        except ConnectionError:
            logger.info("a change could not be told: the client has gone")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def room(self, timeout_s: float) -> None:
        """Wait until one more request may run, but not for long: what comes next
        may be the answer or the cancel that a running one waits for.
        """
        if not self._crowded:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._crowded:
                    await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    async def linger(self, timeout_s: float) -> None:
        """Let what runs end by itself, and be answered, within ``timeout_s``."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)

    async def part(self) -> None:
        """Tell the client that the server goes away, and answer what runs."""
        if hears_notices(self._session):
            await self._tell(GOING_AWAY)
        await self.linger(self._server.limits.call_timeout_s)

    async def end(self) -> None:
        """End all that runs for this connection, and wait until it has."""
        self._stop_listening()
        exchanges = list(self._exchanges.values())
        for exchange in exchanges:
            exchange.end()
            exchange.call.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for exchange in exchanges:
            await exchange.call.ended()


def _about(message: Request, error: ProtocolError) -> ProtocolError:
    error.request_id = message.id
    return error
