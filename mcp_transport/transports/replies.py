"""The HTTP replies of the endpoint."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Mapping

from django.http import HttpResponse, StreamingHttpResponse

from mcp_transport.protocol.errors import invalid_request
from mcp_transport.protocol.messages import encode_error

COMPRESS_OVER_BYTES = 1024
GZIP_LEVEL = 3
ZERO = ("q=0", "q=0.0", "q=0.00", "q=0.000")

# Replies are the caller's own: nobody on the way may keep or guess at them.
PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
STREAMED = {
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    # Django's GZipMiddleware leaves alone what is encoded already; it would
    # make each event a file of its own, which most clients cannot read.
    "Content-Encoding": "identity",
}


def json_reply(
    body: bytes, headers: Mapping[str, str], status: int = 200
) -> HttpResponse:
    """Reply with JSON, compressed for those who accept it and gain by it."""
    if len(body) > COMPRESS_OVER_BYTES:
        return _compressible(body, headers, status)
    return HttpResponse(
        body, status=status, content_type="application/json", headers=PRIVATE
    )


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


def sse_reply(body: AsyncIterator[bytes]) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        body, content_type="text/event-stream", headers=STREAMED
    )


def nothing(status: int, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Reply without a body."""
    response = HttpResponse(status=status, headers={**PRIVATE, **(headers or {})})
    del response["Content-Type"]
    return response


def refusal(
    status: int, reason: str, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Refuse a request for what HTTP itself says; the body is an error without id."""
    return HttpResponse(
        encode_error(None, invalid_request(reason)),
        status=status,
        content_type="application/json",
        headers={**PRIVATE, **(headers or {})},
    )
