"""The HTTP replies of the endpoint, and the headers of its requests."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.debug import sensitive_variables

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


def wire_headers(request: HttpRequest) -> Mapping[str, str]:
    """Return the headers by lower-case name; repeated ones joined by commas.

    Without Authorization: these are handed on, into the local variables that
    error reports show. See ``authorization``.
    """
    known: Mapping[str, str] | None = request.__dict__.get("_mcp_headers")
    if known is not None:
        return known
    scope: Mapping[str, Any] | None = getattr(request, "scope", None)
    if scope is None:
        headers = {name.lower(): value for name, value in request.headers.items()}
    else:
        headers = _joined(scope["headers"])
    request._mcp_authorization = headers.pop("authorization", None)  # type: ignore[attr-defined]
    request._mcp_headers = headers  # type: ignore[attr-defined]
    return headers


@sensitive_variables()
def authorization(request: HttpRequest) -> str | None:
    """Return the Authorization header."""
    wire_headers(request)
    value: str | None = request._mcp_authorization  # type: ignore[attr-defined]
    return value


def _joined(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


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
