"""The error codes of the protocol, and the exception that carries one.

Spec: 2026-07-28 basic/index #error-codes; schema of each revision.
"""

from __future__ import annotations

from typing import Any

PARSE_ERROR = -32700  # JSON-RPC 2.0 section 5.1
INVALID_REQUEST = -32600  # JSON-RPC 2.0 section 5.1
METHOD_NOT_FOUND = -32601  # JSON-RPC 2.0 section 5.1
INVALID_PARAMS = -32602  # JSON-RPC 2.0 section 5.1
INTERNAL_ERROR = -32603  # JSON-RPC 2.0 section 5.1
RESOURCE_NOT_FOUND = -32002  # up to 2025-11-25, server/resources #error-handling
HEADER_MISMATCH = -32020  # 2026-07-28 basic/transports/streamable-http
MISSING_CLIENT_CAPABILITY = -32021  # 2026-07-28 basic/index
UNSUPPORTED_PROTOCOL_VERSION = -32022  # 2026-07-28 basic/versioning
# Our own, outside of what is reserved: the HTTP statuses of RFC 6585 section 4, of
# RFC 6750 section 3.1 and of RFC 9110 section 15.6.4.
TOO_MANY_REQUESTS = 429
INSUFFICIENT_SCOPE = 403
UNAVAILABLE = 503


class ProtocolError(Exception):
    """The peer's fault: becomes a JSON-RPC error on the wire.

    ``request_id`` is the id of the message at fault where it could be read
    before the exception left its reader; otherwise None.
    """

    def __init__(
        self,
        code: int,
        message: str,
        data: Any = None,
        *,
        request_id: str | int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data
        self.request_id = request_id

    def to_json(self) -> dict[str, Any]:
        """Return the JSON-RPC error object: code, message and, if any, data."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data is not None:
            error["data"] = self.data
        return error


class TooManyRequests(ProtocolError):
    """The peer asked too often, or for too much at a time.

    ``retry_after_s`` is when it is worth to ask again, if that is known.
    """

    def __init__(self, message: str, retry_after_s: int | None = None) -> None:
        data = None if retry_after_s is None else {"retryAfter": retry_after_s}
        super().__init__(TOO_MANY_REQUESTS, message, data)
        self.retry_after_s = retry_after_s


class Unavailable(ProtocolError):
    """What the request takes cannot be reached at the moment: nothing was done, and
    it may be sent again after ``retry_after_s``. Nobody's fault at this end.
    """

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(UNAVAILABLE, message, {"retryAfter": retry_after_s})
        self.retry_after_s = retry_after_s


class InsufficientScope(ProtocolError):
    """The credential would have to grant more; ``scope`` is all that it takes.

    Spec: 2026-07-28 basic/authorization #scope-challenge-handling.
    """

    def __init__(self, scope: str) -> None:
        super().__init__(INSUFFICIENT_SCOPE, f"this needs the scope {scope}")
        self.scope = scope


def invalid_params(message: str, data: Any = None) -> ProtocolError:
    return ProtocolError(INVALID_PARAMS, message, data)


def invalid_request(message: str, data: Any = None) -> ProtocolError:
    return ProtocolError(INVALID_REQUEST, message, data)


def method_not_found(method: str) -> ProtocolError:
    return ProtocolError(METHOD_NOT_FOUND, f"Method not found: {method}")
