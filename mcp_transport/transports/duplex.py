"""The one receive loop of every connection that carries messages both ways.

A message gets a task of its own as soon as it has to wait, so that a tool that
asks does not block its own answer, and a cancel arrives in time. The rules are
those of stdio: no headers, and answers are told apart by their ids.

Spec: 2026-07-28 basic/transports/stdio, basic/transports #custom-transports.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Protocol

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.changes import Change
from mcp_transport.engine.exchange import Arrival, Binding, Exchange
from mcp_transport.engine.server import Server
from mcp_transport.engine.session import Session
from mcp_transport.protocol.errors import ProtocolError, invalid_request
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
from mcp_transport.protocol.peer import claimed_version, unsupported_version

logger = logging.getLogger("mcp_transport")


class Transport(Protocol):
    """One connection to one client, and all that a door of your own must be.

    A message is one JSON-RPC message as UTF-8 bytes, without a line end. The
    caller was authenticated before ``serve`` is given the connection.
    """

    async def start(self) -> None:
        """Make the connection ready. Called once, before anything else."""
        ...

    async def receive(self) -> bytes | None:
        """Return the next message, or None when the client has gone."""
        ...

    async def send(self, message: bytes) -> None:
        """Deliver one message, in order. Raises ConnectionError when it cannot."""
        ...

    async def close(self) -> None:
        """End the connection. Called once, after everything else."""
        ...

    def error(self, error: ProtocolError) -> None:
        """Hear of a message from the client that could not be understood."""
        ...


async def serve(
    server: Server, transport: Transport, caller: Caller, binding: Binding
) -> None:
    """Serve one connection until the client goes; then end what still runs."""
    await transport.start()
    connection = _Connection(server, transport, caller, binding)
    try:
        while (data := await transport.receive()) is not None:
            await connection.take(data)
    except ConnectionError:
        logger.info("a %s connection broke", binding.name)
    finally:
        try:
            await connection.end()
        finally:
            await transport.close()


class _Connection:
    """What is known of one connection while it lasts: its session, its calls."""

    def __init__(
        self, server: Server, transport: Transport, caller: Caller, binding: Binding
    ) -> None:
        self._server = server
        self._transport = transport
        self._caller = caller
        self._binding = binding
        self._session = Session.new(caller)
        self._stateless = False
        self._exchanges: dict[str | int, Exchange] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sending = asyncio.Lock()
        self._stop_listening = server.changes.subscribe(self._changed)

    async def take(self, data: bytes) -> None:
        """Take one frame in; what has to wait goes on in a task."""
        try:
            messages = self._unbatched(parse(data))
        except ProtocolError as error:
            messages = (error,)
        for message in messages:
            try:
                await self._open(message)
            except ProtocolError as error:
                self._transport.error(error)
                await self._send(encode_error(error.request_id, error))

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
        if exchange.done:
            await self._deliver(exchange)
            return
        assert isinstance(message, Request)
        self._exchanges[message.id] = exchange
        self._spawn(self._follow(exchange, message))

    def _admit(self, message: Request) -> None:
        """Hold the connection to the era that its first message chose.

        Raises ProtocolError: -32600 for an id in use, -32022 for a handshake on
        a stateless connection.
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
