"""daphne's server, with protocols of our own and an end that nobody loses by."""

from __future__ import annotations

import asyncio
import logging
import os
import select
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from time import time
from typing import Any

from daphne.server import Server as DaphneServer  # type: ignore[import-untyped]
from daphne.ws_protocol import WebSocketFactory  # type: ignore[import-untyped]
from twisted.internet import reactor as _reactor
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    STDLibLogObserver,
    globalLogBeginner,
)
from twisted.web.http import HTTPFactory

from mcp_transport.countdown import Countdown
from mcp_transport.runner.accesslog import open_access_log
from mcp_transport.runner.channel import Channel
from mcp_transport.runner.leaving import leave
from mcp_transport.runner.links import Links
from mcp_transport.runner.listening import room_for
from mcp_transport.runner.options import Options
from mcp_transport.runner.request import Request
from mcp_transport.runner.websocket import WebSocket

logger = logging.getLogger("mcp_transport.runner")
reactor: Any = _reactor

HANDSHAKE_S = 5
# How long the client has to answer a close frame.
CLOSE_S = 2
READ_BYTES = 65_536
# How long what was cut has to clean up, and when the process ends for certain,
# both counted from the end of the grace.
END_S = 1.6
# How long the end of Python may wait for threads.
EXIT_S = 0.5


def _log_errors() -> None:
    """Let Python's log have what Twisted calls an error; daphne drops it."""
    log: Any = STDLibLogObserver(logger.name)
    level: Any = LogLevelFilterPredicate(LogLevel.error)
    errors: Any = FilteringLogObserver(log, [level])
    globalLogBeginner.beginLoggingTo(
        [errors], redirectStandardIO=False, discardBuffer=True
    )


class Factory(HTTPFactory):
    protocol = Channel  # type: ignore[assignment]

    def __init__(self, server: Server) -> None:
        # Deadlines are kept by Links, at less cost than Twisted's.
        super().__init__(timeout=None)  # type: ignore[arg-type]
        self.server = server
        self.links = server.links
        self.max_body_bytes = server.max_body_bytes

    def buildProtocol(self, addr: Any) -> Any:
        """Return what serves a new connection; None, and it is closed."""
        if self.links.full:
            return None
        channel: Any = super().buildProtocol(addr)
        channel.requestFactory = Request
        return channel

    def log(self, request: Any) -> None:
        """Twisted's access log; ours is daphne's."""


class Sockets(WebSocketFactory):  # type: ignore[misc]
    protocol = WebSocket


class Server(DaphneServer):  # type: ignore[misc]
    """Serves what comes to ``listener``. ``parent`` is a pipe whose other end is
    closed when the process is to end, if it is one of several.
    """

    def __init__(
        self,
        application: Callable[..., Coroutine[Any, Any, None]],
        listener: socket.socket,
        options: Options,
        parent: int | None = None,
    ) -> None:
        super().__init__(
            application,
            endpoints=[str(listener.getsockname())],
            action_logger=open_access_log(options.access_log),
            request_buffer_size=READ_BYTES,
            websocket_timeout=-1,
            websocket_connect_timeout=HANDSHAKE_S,
            websocket_handshake_timeout=HANDSHAKE_S,
            websocket_max_message_size=options.max_message_bytes,
            websocket_max_frame_size=options.max_message_bytes,
            ping_interval=options.ping_interval_s,
            ping_timeout=options.ping_timeout_s,
            server_name="",
        )
        self.max_body_bytes = options.max_body_bytes
        self.grace_s = options.grace_s
        self.links = Links(room_for(options.max_connections))
        self.leaving: asyncio.Task[None] | None = None
        self._listener = listener
        self._parent = parent
        self._told = False
        self._countdown = Countdown()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        loop: asyncio.AbstractEventLoop = reactor._asyncioEventloop
        return loop

    def run(self) -> None:
        """Serve until a signal says that it is enough, or the parent does."""
        _log_errors()
        self.connections: dict[Any, dict[str, Any]] = {}
        self.ws_factory = Sockets(self, server=self.server_name)
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            allowNullOrigin=True,
            openHandshakeTimeout=self.websocket_handshake_timeout,
            closeHandshakeTimeout=CLOSE_S,
            maxMessagePayloadSize=self.websocket_max_message_size,
            maxFramePayloadSize=self.websocket_max_frame_size,
            failByDrop=False,
        )
        asyncio.set_event_loop(self.loop)
        self.http_factory = Factory(self)
        self.port = reactor.adoptStreamPort(
            self._listener.fileno(), self._listener.family, self.http_factory
        )
        self._listener.close()
        reactor.callLater(1, self.application_checker)
        reactor.callLater(2, self.timeout_checker)
        reactor.callWhenRunning(self._listen_to_parent)
        signal.signal(signal.SIGTERM, self._signalled)
        signal.signal(
            signal.SIGINT, self._signalled if self._parent is None else signal.SIG_IGN
        )
        reactor.run(installSignalHandlers=False)
        self._countdown.begin(EXIT_S)

    def _listen_to_parent(self) -> None:
        self._sweeping = self.loop.create_task(self.links.sweep())
        if self._parent is not None:
            self.loop.add_reader(self._parent, self._left_by_parent, self._parent)

    def _left_by_parent(self, pipe: int) -> None:
        self.loop.remove_reader(pipe)
        self._signalled()

    def _signalled(self, *_: object) -> None:
        """Begin to leave; a second time means at once, if a person may have said it.

        It may interrupt anything.
        """
        if self._told:
            if self._parent is None:
                os._exit(1)
            return
        self._told = True
        self._countdown.begin(self.grace_s + END_S)
        self.loop.call_soon_threadsafe(self._leave)

    def _leave(self) -> None:
        self.leaving = self.loop.create_task(leave(self))

    def stop_listening(self) -> None:
        """Accept what the kernel has accepted for us, and refuse the rest."""
        poll = select.poll()
        poll.register(self.port, select.POLLIN)
        while poll.poll(0):
            self.port.doRead()
        self.port.stopReading()
        self.port.connectionLost(None)

    def streams(self) -> Iterator[Request]:
        """Yield the open streams of events."""
        for protocol in list(self.connections):
            if isinstance(protocol, Request) and protocol.is_stream:
                yield protocol

    # What daphne's protocols call

    def create_application(
        self, protocol: Request | WebSocket, scope: dict[str, Any]
    ) -> asyncio.Queue[Any]:
        inbox = protocol.inbox()
        scope["asgi"] = {"version": "3.0"}
        running = self.application(
            scope, inbox.get, partial(self.handle_reply, protocol)
        )
        self.connections[protocol]["application_instance"] = self.loop.create_task(
            running
        )
        return inbox

    def protocol_disconnected(self, protocol: Any) -> None:
        """It may be told twice, of a WebSocket that was refused."""
        known = self.connections.get(protocol)
        if known is not None:
            known.setdefault("disconnected", time())

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Write, and wait while the peer has more to take than is good for us.

        Nobody waits for the last piece: there is nothing to hold back.
        """
        await super().handle_reply(protocol, message)
        flow = protocol.flow
        if flow.full and (
            message.get("more_body") or message["type"] == "websocket.send"
        ):
            await flow.emptied()
