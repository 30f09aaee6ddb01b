"""The rules of Streamable HTTP: which era a request speaks, what its headers
must say, and which status answers it.

Header names are lower case here; repeated headers arrive joined by commas.

Spec: 2026-07-28 basic/transports/streamable-http, basic/versioning.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

from mcp_transport.protocol.errors import (
    HEADER_MISMATCH,
    INSUFFICIENT_SCOPE,
    TOO_MANY_REQUESTS,
    UNAVAILABLE,
    ProtocolError,
    invalid_params,
    invalid_request,
)
from mcp_transport.protocol.messages import (
    Batch,
    Message,
    Notification,
    Request,
    Response,
)
from mcp_transport.protocol.peer import (
    CAPABILITIES_KEY,
    VERSION_KEY,
    claimed_version,
    missing_meta,
    unsupported_version,
)
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.schema import HeaderParam

VERSION_HEADER = "mcp-protocol-version"
METHOD_HEADER = "mcp-method"
NAME_HEADER = "mcp-name"
SESSION_HEADER = "mcp-session-id"

# The member of params that the Mcp-Name header repeats.
# Spec: 2026-07-28 basic/transports/streamable-http #required-headers.
NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


# Errors of our own, each with the code of the HTTP status that it is over HTTP.
STATUSES = frozenset({INSUFFICIENT_SCOPE, TOO_MANY_REQUESTS, UNAVAILABLE})


def error_status(error: ProtocolError, revision: Revision) -> int:
    """Return the HTTP status for an error that answers a dispatched request."""
    if error.code in STATUSES:
        return error.code
    return revision.statuses.get(error.code, 200)


def classify(
    message: Message | Batch,
    headers: Mapping[str, str],
    revisions: Mapping[str, Revision],
) -> Revision | None:
    """Return the stateless revision that a request speaks, or None for a session.

    Raises ProtocolError for what belongs to no era; it is answered with 400.
    """
    version = headers.get(VERSION_HEADER)
    if not isinstance(message, (Request, Notification)):
        _check_of_session(message, version, revisions)
        return None
    try:
        claim = claimed_version(message.params)
        if claim is not None:
            return _claimed(message, claim, headers, revisions)
        return _unclaimed(message, version, revisions)
    except ProtocolError as error:
        if isinstance(message, Request):
            error.request_id = message.id
        raise


def has_session(headers: Mapping[str, str], revisions: Mapping[str, Revision]) -> bool:
    """Tell whether a request without a body is one of a session.

    Raises ProtocolError (-32022) for a version that does not exist.
    Spec: 2025-06-18 basic/transports #protocol-version-header.
    """
    version = headers.get(VERSION_HEADER)
    stateful = version is None or _known(version, revisions).stateful
    return stateful and SESSION_HEADER in headers


def _check_of_session(
    message: Batch | Response,
    version: str | None,
    revisions: Mapping[str, Revision],
) -> None:
    """Raises ProtocolError for batches and responses, which only sessions have,
    in a request that speaks no stateful revision.
    """
    stateful = version is None or _known(version, revisions).stateful
    claims = isinstance(message, tuple) and any(
        isinstance(item, (Request, Notification))
        and claimed_version(item.params) is not None
        for item in message
    )
    if claims or not stateful:
        raise invalid_request("a stateless revision has no batches and no responses")


def _unclaimed(
    message: Request | Notification,
    version: str | None,
    revisions: Mapping[str, Revision],
) -> Revision | None:
    """Judge a message without a claim by its header alone."""
    if version is None:
        return None
    revision = _known(version, revisions)
    if revision.stateful:
        return None
    if isinstance(message, Notification):
        return revision
    if message.method == "initialize":
        raise ProtocolError(
            HEADER_MISMATCH,
            f"initialize does not exist in {version}: "
            "leave out the MCP-Protocol-Version header or claim it in _meta",
        )
    raise missing_meta(VERSION_KEY, CAPABILITIES_KEY)


def _known(version: str, revisions: Mapping[str, Revision]) -> Revision:
    revision = revisions.get(version)
    if revision is None:
        raise unsupported_version(version, revisions)
    return revision


def _claimed(
    message: Request | Notification,
    claim: Any,
    headers: Mapping[str, str],
    revisions: Mapping[str, Revision],
) -> Revision:
    """Hold the headers of a stateless message against its body.

    The comparison comes before the judgement of support: a header that differs
    is a mismatch, an equal but unknown version is unsupported.
    """
    if type(claim) is not str:
        raise missing_meta(VERSION_KEY)
    _check_equal(headers, VERSION_HEADER, claim)
    revision = revisions.get(claim)
    if revision is None or revision.stateful:
        raise unsupported_version(
            claim, {n: r for n, r in revisions.items() if not r.stateful}
        )
    if isinstance(message, Request):
        _check_equal(headers, METHOD_HEADER, message.method)
        _check_name(message, headers)
    return revision


def _check_equal(headers: Mapping[str, str], name: str, expected: str) -> None:
    value = headers.get(name)
    if value is None:
        raise ProtocolError(HEADER_MISMATCH, f"the header {name} is missing")
    if value != expected:
        raise ProtocolError(HEADER_MISMATCH, f"the header {name} differs from the body")


def _check_name(message: Request, headers: Mapping[str, str]) -> None:
    member = NAMED.get(message.method)
    if member is None:
        return
    expected = message.params.get(member)
    if type(expected) is not str:
        raise invalid_params(f"{message.method} needs {member}, a string")
    value = headers.get(NAME_HEADER)
    if value is None:
        raise ProtocolError(HEADER_MISMATCH, f"the header {NAME_HEADER} is missing")
    if value == expected and value.isascii() and not value.startswith(SENTINEL):
        return
    if decode_value(value) != expected:
        raise ProtocolError(
            HEADER_MISMATCH, f"the header {NAME_HEADER} differs from the body"
        )


# What every JSON reader can hold. Spec: 2026-07-28 server/tools #x-mcp-header.
MAX_SAFE_INTEGER = 2**53 - 1
SENTINEL = "=?base64?"
SENTINEL_END = "?="


def decode_value(value: str) -> str:
    """Undo the base64 form of a header value that is not plain ASCII.

    Raises ProtocolError (-32020) for a value that cannot be decoded.
    Spec: 2026-07-28 basic/transports/streamable-http #value-encoding.
    """
    marked = value.startswith(SENTINEL) and value.endswith(SENTINEL_END)
    if not marked or len(value) < len(SENTINEL) + len(SENTINEL_END):
        if not value.isascii() or not value.isprintable():
            raise ProtocolError(HEADER_MISMATCH, "a header has illegal characters")
        return value
    encoded = value[len(SENTINEL) : -len(SENTINEL_END)]
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        raise ProtocolError(
            HEADER_MISMATCH, "a header has a malformed base64 value"
        ) from None


def check_param_headers(
    declared: Iterable[HeaderParam],
    arguments: Mapping[str, Any],
    headers: Mapping[str, str],
) -> None:
    """Hold each ``Mcp-Param-*`` header against the argument that it repeats.

    Raises ProtocolError (-32020).
    Spec: 2026-07-28 basic/transports/streamable-http #custom-headers.
    """
    for param in declared:
        argument: Any = arguments
        for name in param.path:
            argument = argument.get(name) if isinstance(argument, dict) else None
        value = headers.get(param.header)
        if argument is None and value is None:
            continue
        if argument is None or value is None:
            raise ProtocolError(
                HEADER_MISMATCH,
                f"the header {param.header} and the argument {'.'.join(param.path)} "
                "must both be there or neither",
            )
        if not _repeats(decode_value(value), argument):
            raise ProtocolError(
                HEADER_MISMATCH,
                f"the header {param.header} differs from the argument "
                f"{'.'.join(param.path)}",
            )


def _repeats(value: str, argument: Any) -> bool:
    """Tell whether a header's value says the same as an argument."""
    if isinstance(argument, bool):
        return value == ("true" if argument else "false")
    if isinstance(argument, int):
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 16):
            return False
        return int(value) == argument and abs(argument) <= MAX_SAFE_INTEGER
    return isinstance(argument, str) and value == argument
