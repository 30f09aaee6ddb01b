"""The HTTP replies of the endpoint."""

from __future__ import annotations

import gzip
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import ResponseHeaders

from mcp_transport.conf import get_conf
from mcp_transport.engine.exchange import Exchange
from mcp_transport.guards.bearer import REALM, challenge
from mcp_transport.protocol.errors import (
    InsufficientScope,
    ProtocolError,
    TooManyRequests,
    Unavailable,
    invalid_request,
)
from mcp_transport.protocol.http import error_status
from mcp_transport.protocol.messages import encode_error
from mcp_transport.protocol.peer import Peer

# What a client waits before it comes back, unless a tool says otherwise.
RETRY_MS = 1000
RETRY_AFTER_S = 1
COMPRESS_OVER_BYTES = 1024
GZIP_LEVEL = 3
ZERO = ("q=0", "q=0.0", "q=0.00", "q=0.000")

# Replies are the caller's own: nobody on the way may keep or guess at them.
PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
# As Django keeps them, so that they are checked once and not for each reply.
_CHECKED = ResponseHeaders(PRIVATE)._store
STREAMED = {
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    # Django's GZipMiddleware leaves alone what is encoded already; it would
    # make each event a file of its own, which most clients cannot read.
    "Content-Encoding": "identity",
}


def answer(
    exchange: Exchange, message: bytes, headers: Mapping[str, str]
) -> HttpResponse:
    """Reply with the response of an exchange, which is all there is to say."""
    error = exchange.error
    if exchange.timed_out:
        return json_reply(message, headers, exchange.peer.revision.timed_out)
    if error is None:
        return json_reply(message, headers)
    if exchange.refused:
        return json_reply(message, headers, 400)
    status = error_status(error, exchange.peer.revision)
    response = json_reply(message, headers, status)
    for name, value in told_by_headers(error).items():
        response[name] = value
    return response


def told_by_headers(error: ProtocolError) -> dict[str, str]:
    """Return the response headers that say what an error says.

    Spec: 2026-07-28 basic/authorization #scope-challenge-handling; RFC 6585
    section 4; RFC 9110 section 15.6.4.
    """
    if isinstance(error, TooManyRequests | Unavailable):
        after_s = error.retry_after_s
        return {} if after_s is None else {"Retry-After": str(after_s)}
    if isinstance(error, InsufficientScope):
        said = challenge(
            realm=REALM,
            resource_metadata=get_conf().metadata_url,
            error="insufficient_scope",
            scope=error.scope,
        )
        return {"WWW-Authenticate": said}
    return {}


def json_reply(
    body: bytes, headers: Mapping[str, str], status: int = 200
) -> HttpResponse:
    """Reply with JSON, compressed for those who accept it and gain by it."""
    if len(body) > COMPRESS_OVER_BYTES:
        return _compressible(body, headers, status)
    response = HttpResponse(body, status=status, content_type="application/json")
    response.headers._store |= _CHECKED
    return response


def _compressible(body: bytes, headers: Mapping[str, str], status: int) -> HttpResponse:
    extra = {"Vary": "Accept-Encoding"}
    if _accepts_gzip(headers.get("accept-encoding", "")):
        body = gzip.compress(body, GZIP_LEVEL, mtime=0)
        extra["Content-Encoding"] = "gzip"
    return HttpResponse(
        body,
        status=status,
        content_type="application/json",
        headers={**PRIVATE, **extra},
    )


def _accepts_gzip(accept: str) -> bool:
    """RFC 9110 section 12.5.3: a weight of zero means "not acceptable"."""
    accepted = {}
    for item in accept.lower().split(","):
        coding, _, weight = item.partition(";")
        accepted[coding.strip()] = weight.replace(" ", "") not in ZERO
    return accepted.get("gzip", accepted.get("*", False))


async def come_back() -> bytes:
    return b"retry: %d\n\n" % RETRY_MS


class Closing:
    """What is to be done when a stream has ended, once: when its response is closed,
    or when nobody holds that, nor what it sends, any more. Django does not close a
    response whose client has gone by the time that it is ready to be sent.
    """

    def __init__(self) -> None:
        self._to_do: list[Callable[[], object]] = []
        self.now = weakref.finalize(self, _do, self._to_do)
        self.now.atexit = False

    def then(self, do: Callable[[], object]) -> None:
        """Do this too. It may be done on any thread."""
        self._to_do.append(do)


def _do(to_do: list[Callable[[], object]]) -> None:
    for do in to_do:
        with suppress(RuntimeError):  # the loop was closed: all is over
            do()


class EventStream(StreamingHttpResponse):
    """``answers`` tells whether calls are answered on it. ``goodbye`` makes what is
    said last when the server ends it to restart: when to come back, if nothing else.
    ``door`` is the name of the binding, ``peer`` who reads it, as far as it is known,
    and ``session_id`` whose it is, "" for a stream outside of all sessions.
    """

    answers = True
    goodbye: Callable[[], Awaitable[bytes]] = staticmethod(come_back)

    def __init__(
        self,
        body: AsyncIterator[bytes],
        door: str,
        peer: Peer | None,
        session_id: str = "",
    ) -> None:
        super().__init__(body, content_type="text/event-stream", headers=STREAMED)
        self.door, self.peer, self.session_id = door, peer, session_id
        self.closing = Closing()
        self._resource_closers.append(self.closing.now)  # type: ignore[attr-defined]


def nothing(status: int, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Reply without a body."""
    response = HttpResponse(status=status, headers={**PRIVATE, **(headers or {})})
    del response["Content-Type"]
    return response


class Refusal(HttpResponse):
    """The reply to what did not become a request; ``reason`` is what it says."""

    def __init__(
        self,
        status: int,
        error: ProtocolError,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(
            encode_error(error.request_id, error),
            status=status,
            content_type="application/json",
            headers={**PRIVATE, **(headers or {})},
        )
        self.reason = error.message


def refusal(
    status: int, reason: str, headers: Mapping[str, str] | None = None
) -> Refusal:
    """Refuse a request for what HTTP itself says; the body is an error without id."""
    return Refusal(status, invalid_request(reason), headers)


def misread(error: ProtocolError) -> Refusal:
    """Refuse a body, or headers, in which no message can be found."""
    return Refusal(400, error)


def unavailable(reason: str) -> Refusal:
    """Refuse a request that may be sent again, soon."""
    return refusal(503, reason, {"Retry-After": str(RETRY_AFTER_S)})
