"""One WebSocket, from daphne to the application and back.

Spec: RFC 6455 sections 5.4, 5.5 and 7.4.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

from daphne.ws_protocol import WebSocketProtocol  # type: ignore[import-untyped]

from mcp_transport.runner.flow import Flow

if TYPE_CHECKING:
    from mcp_transport.runner.channel import Channel
    from mcp_transport.runner.server import Server

GOING_AWAY = 1001
POLICY_VIOLATION = 1008
# What a server may send; the others are no codes of a close frame, or the
# client's. RFC 6455 section 7.4.1, and the registry that it opens.
SENDABLE = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)})
# A close reason and its code share the 125 bytes of a control frame.
MAX_REASON_BYTES = 123
# Messages that the application has not read yet: with so many, no more is read.
MAX_UNREAD = 64
# Pings, pongs and pieces of messages that are shorter than this: what costs us more
# than its sender. Per second, for a few seconds at once.
PIECE_BYTES = 64
ODD_FRAMES = 200
ODD_FRAMES_AT_ONCE = 1000


class Inbox(asyncio.Queue[Any]):
    """What the application has not read yet. Its socket reads no faster."""

    def __init__(self, socket: WebSocket) -> None:
        super().__init__()
        self._socket = socket

    def _put(self, item: Any) -> None:
        super()._put(item)
        if self.qsize() == MAX_UNREAD:
            self._socket.pause_reading()

    def _get(self) -> Any:
        item = super()._get()
        if self.qsize() == MAX_UNREAD // 2:
            self._socket.resume_reading()
        return item


class WebSocket(WebSocketProtocol):  # type: ignore[misc]
    flow: Flow
    _paused = False
    _flooding = False
    _odd_frames = float(ODD_FRAMES_AT_ONCE)
    _counted_at = 0.0

    @property
    def _server(self) -> Server:
        server: Server = self.factory.server_class
        return server

    def connectionMade(self) -> None:
        # What wrote to the transport before was the HTTP channel.
        channel: Channel = self.transport.producer
        self.transport.unregisterProducer()
        self.flow = Flow(self.transport)
        self.transport.registerProducer(self.flow, True)
        self._server.links.upgraded(channel, self)
        super().connectionMade()

    def connectionLost(self, reason: Any) -> None:
        super().connectionLost(reason)
        self._server.links.hung_up(self)

    def onClose(self, wasClean: bool, code: int, reason: str) -> None:
        # Of a handshake that failed daphne knows nothing.
        if hasattr(self, "request"):
            super().onClose(wasClean, code, reason)

    # Inbound

    def inbox(self) -> Inbox:
        return Inbox(self)

    def dataReceived(self, data: bytes) -> None:
        if not self._flooding:
            super().dataReceived(data)

    def onFrameBegin(self) -> None:
        frame = self.current_frame
        if frame.opcode > 7 or (not frame.fin and frame.length < PIECE_BYTES):
            self._count()
        super().onFrameBegin()

    def _count(self) -> None:
        """Close the connection of a client that floods us with odd frames."""
        now = monotonic()
        regained = (now - self._counted_at) * ODD_FRAMES
        self._odd_frames = min(ODD_FRAMES_AT_ONCE, self._odd_frames + regained) - 1
        self._counted_at = now
        if self._odd_frames < 0 and not self._flooding:
            self._flooding = True
            self.data = b""
            self.close(POLICY_VIOLATION, "too many control frames or fragments")

    def pause_reading(self) -> None:
        self._paused = True
        self.transport.pauseProducing()

    def resume_reading(self) -> None:
        self._paused = False
        self.transport.resumeProducing()

    def onAutoPingTimeout(self) -> None:
        """Its pong cannot have come while nothing was read: that is not its fault."""
        if self._paused:
            self.autoPingTimeoutCall = None
        else:
            super().onAutoPingTimeout()

    def check_timeouts(self) -> None:
        if not self._paused:
            super().check_timeouts()

    # Outbound

    def handle_reply(self, message: Mapping[str, Any]) -> None:
        kind = message["type"]
        if kind == "websocket.send" and self.state == self.STATE_OPEN:
            text, data = message.get("text"), message.get("bytes")
            if text is not None:
                self.sendMessage(text.encode(), False)
            elif data is not None:
                self.sendMessage(data, True)
        elif kind == "websocket.close" and self.state == self.STATE_OPEN:
            self.close(message.get("code", 1000), message.get("reason") or "")
        else:
            super().handle_reply(message)

    def close(self, code: int, reason: str) -> None:
        """Say that the connection ends, and why.

        Raises ValueError for a code that no server may send.
        """
        if code not in SENDABLE:
            raise ValueError(f"a WebSocket cannot be closed with the code {code}")
        if self._paused:
            self.resume_reading()  # or its answer would never be heard
        cut = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore").encode()
        self.sendCloseFrame(code=code, reasonUtf8=cut)

    def go_away(self) -> None:
        """End the connection, if the application has not: whoever serves it next is
        not this process.
        """
        if self.state == self.STATE_OPEN:
            self.close(GOING_AWAY, "the server stops")
        elif self.state == self.STATE_CONNECTING:
            self.dropConnection(abort=True)

    def dropConnection(self, abort: bool = False) -> None:
        """When both sides have said that it ends, there is nothing left to abort."""
        super().dropConnection(abort=abort and not self.wasClean)
