"""What the endpoint reads of an HTTP request, and what it takes.

Spec: 2025-11-25 basic/transports #sending-messages-to-the-server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest


def wire_headers(request: HttpRequest) -> Mapping[str, str]:
    """Return the headers by lower-case name; repeated ones joined by commas.

    Without Authorization and Cookie: these are handed on, into the local variables
    that error reports show. See ``authorization``.
    """
    known: Mapping[str, str] | None = request.__dict__.get("_mcp_headers")
    if known is not None:
        return known
    scope: Mapping[str, Any] | None = getattr(request, "scope", None)
    if scope is None:
        headers = {name.lower(): value for name, value in request.headers.items()}
    else:
        headers = joined(scope["headers"])
    request._mcp_authorization = headers.pop("authorization", None)  # type: ignore[attr-defined]
    headers.pop("cookie", None)
    request._mcp_headers = headers  # type: ignore[attr-defined]
    return headers


def authorization(request: HttpRequest) -> str | None:
    """Return the Authorization header, which is in no variable here."""
    wire_headers(request)
    return request._mcp_authorization  # type: ignore[attr-defined, no-any-return]


def peer_address(request: HttpRequest) -> str | None:
    """Return the other end of the connection; None on a Unix socket."""
    scope: Mapping[str, Any] | None = getattr(request, "scope", None)
    if scope is None:
        return request.META.get("REMOTE_ADDR") or None
    return (scope.get("client") or (None,))[0]


def joined(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return an ASGI scope's headers by name; repeated ones joined by commas."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def body_of(request: HttpRequest, max_bytes: int) -> bytes | None:
    """Return the body, or None for one that we or Django's settings refuse."""
    try:
        body = request.body
    except RequestDataTooBig:
        return None
    return body if len(body) <= max_bytes else None


class Refused(Exception):
    """What HTTP itself has against a request: a status, and why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def posted(request: HttpRequest, max_bytes: int, accept: str = "*/*") -> bytes:
    """Return the body of a POST that carries messages; ``accept`` is what its
    client takes. Raises Refused.
    """
    headers = wire_headers(request)
    wrong = unacceptable(
        headers.get("content-type", ""),
        headers.get("content-encoding", "identity"),
        accept,
    )
    if wrong is not None:
        raise Refused(*wrong)
    body = body_of(request, max_bytes)
    if body is None:
        raise Refused(413, "the body is too large")
    return body


def accepts(accept: str, *media_types: str) -> bool:
    return all(
        media_type in accept
        or "*/*" in accept
        or media_type.partition("/")[0] + "/*" in accept
        for media_type in media_types
    )


@lru_cache(maxsize=256)
def unacceptable(
    content_type: str, content_encoding: str, accept: str
) -> tuple[int, str] | None:
    """Return status and reason to refuse a body that is not plain JSON, or a
    client that cannot stream.

    A browser sends ``application/json`` across origins only after a preflight,
    so nothing else is taken. Spec: 2025-11-25 basic/transports #sending-messages.
    """
    if content_type.partition(";")[0].strip().lower() != "application/json":
        return 415, "Content-Type must be application/json"
    if content_encoding.lower() != "identity":
        return 415, "Content-Encoding is not supported"
    if not accepts(accept.lower(), "application/json", "text/event-stream"):
        return 406, "Accept must list application/json and text/event-stream"
    return None
