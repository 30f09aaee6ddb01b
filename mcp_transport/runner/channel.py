"""One connection that speaks HTTP/1.1: how long it is waited for, and what is
answered before the application hears of a request.

Spec: RFC 9110 sections 7.2, 9.1, 10.1.1, 15.5.9 and 15.5.14; RFC 9112 section 3.2.
"""

from __future__ import annotations

from enum import Enum, auto
from http import HTTPStatus
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any

from twisted.internet.protocol import connectionDone
from twisted.web.http import HTTPChannel

from mcp_transport.conf import get_server
from mcp_transport.engine.observing import tell_refused
from mcp_transport.runner.flow import Flow

if TYPE_CHECKING:
    from mcp_transport.runner.server import Factory

METHODS = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"))
# From its first byte, and in all: one byte now and then buys nobody time.
HEAD_S = 10.0
BODY_S = 10.0
# How long a client that was refused has to read why, before it is cut off: with
# a connection that is closed at once, what it still sends would take it away.
LEAVING_S = 2.0


class BodyTooLarge(Exception):
    """More came than a body may have; its length was not said before."""


class Phase(Enum):
    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    REPLY = auto()
    LEAVING = auto()


class Channel(HTTPChannel):
    """``deadline`` is when the present phase has lasted for too long."""

    transport: Any
    factory: Factory
    flow: Flow
    address: str | None

    def connectionMade(self) -> None:
        super().connectionMade()
        self.address = getattr(self.getPeer(), "host", None)
        self.flow = Flow(self.transport)
        self.phase = Phase.IDLE
        self.deadline = monotonic() + HEAD_S
        self.factory.links.opened(self)

    def connectionLost(self, reason: Any = connectionDone) -> None:
        super().connectionLost(reason)
        self.flow.stopProducing()
        self.factory.links.closed(self)

    def dataReceived(self, data: bytes) -> None:
        if self.phase is Phase.LEAVING:
            return
        if self.phase is Phase.IDLE:
            self.phase = Phase.HEAD
            self.deadline = min(self.deadline, monotonic() + HEAD_S)
        super().dataReceived(data)

    def rawDataReceived(self, data: bytes) -> None:
        try:
            super().rawDataReceived(data)
        except BodyTooLarge:
            self.refuse(413)

    def lineLengthExceeded(self, line: bytes) -> None:
        self.refuse(431)

    def allHeadersReceived(self) -> None:
        """Take the request or refuse it; only what is taken is told to continue."""
        status = self._objection()
        if status is not None:
            self.length = None  # nothing is to be done with the request
            self.refuse(status)
            return
        self.factory.links.known(self)
        if self.length == 0:
            self.phase, self.deadline = Phase.REPLY, inf
        else:
            self.phase, self.deadline = Phase.BODY, monotonic() + BODY_S
        super().allHeadersReceived()

    def _objection(self) -> int | None:
        if self._command not in METHODS:
            return 501
        hosts = self.requests[-1].requestHeaders.getRawHeaders(b"host", ())
        if len(hosts) != 1:
            return 400
        if self.length is not None and self.length > self.factory.max_body_bytes:
            return 413
        return None

    def allContentReceived(self) -> None:
        self.phase, self.deadline = Phase.REPLY, inf
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        self.phase = Phase.IDLE
        self.deadline = monotonic() + self.factory.links.idle_s
        super().requestDone(request)

    def refuse(self, status: int) -> None:
        """Answer in the application's place, and read no more of the request."""
        tell_refused(get_server().observers, status, HTTPStatus(status).phrase)
        self.phase, self.deadline = Phase.LEAVING, monotonic() + LEAVING_S
        self.clearLineBuffer()
        said = HTTPStatus(status).phrase.encode()
        self.transport.write(
            b"HTTP/1.1 %d %b\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
            b"Connection: close\r\n\r\n%b\n" % (status, said, len(said) + 1, said)
        )
        self.transport.loseWriteConnection()

    def _respondToBadRequestAndDisconnect(self) -> None:
        self.refuse(400)

    def expired(self) -> None:
        """The present phase has lasted for too long."""
        if self.phase in (Phase.HEAD, Phase.BODY):
            self.refuse(408)
        elif self.phase is Phase.IDLE and not self.transport.disconnecting:
            # What was written may not have been taken yet.
            self.deadline = monotonic() + LEAVING_S
            self.loseConnection()
        else:
            self.deadline = inf
            self.transport.abortConnection()

    def hasten(self) -> None:
        """Wait no longer for a next request than the process may."""
        if self.phase is Phase.IDLE:
            self.deadline = min(self.deadline, monotonic() + self.factory.links.idle_s)

    def pauseProducing(self) -> None:
        super().pauseProducing()
        self.flow.pauseProducing()

    def resumeProducing(self) -> None:
        super().resumeProducing()
        self.flow.resumeProducing()
