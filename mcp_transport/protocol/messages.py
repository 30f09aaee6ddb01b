"""JSON-RPC messages: strict JSON in, a typed message out, and back to bytes.

Spec: JSON-RPC 2.0 sections 4 to 6; 2026-07-28 basic/index #messages;
2025-03-26 basic/index #batching.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isinf
from typing import Any, Final

from pydantic_core import (
    PydanticSerializationError,
    from_json,
    to_json,
    to_jsonable_python,
)

from mcp_transport.protocol.errors import PARSE_ERROR, ProtocolError, invalid_request

MAX_DEPTH: Final = 64
"""How many arrays and objects may lie inside one another."""
MAX_NODES: Final = 20_000
"""How many values, containers included, one body may hold."""

Json = Any
Id = str | int

_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
# What the engine says, by which its refusals are told apart.
_TOO_DEEP: Final = "recursion limit exceeded"
_NOT_UNICODE: Final = "surrogates not allowed"


@dataclass(frozen=True, slots=True)
class Request:
    """Wants an answer under its id. ``params`` is ``{}`` when absent."""

    id: Id
    method: str
    params: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Notification:
    """Wants no answer. ``params`` is ``{}`` when absent."""

    method: str
    params: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Response:
    """The peer's answer: exactly one of ``result`` and ``error`` is not None.

    ``id`` is None only beside an error, when the peer could not read ours.
    """

    id: Id | None
    result: dict[str, Json] | None
    error: dict[str, Json] | None

    def encoded(self) -> bytes:
        outcome = (
            {"error": self.error} if self.result is None else {"result": self.result}
        )
        return dumps({"jsonrpc": "2.0", "id": self.id, **outcome})


Message = Request | Notification | Response
Batch = tuple[Message | ProtocolError, ...]


def loads(data: bytes) -> Json:
    """Read one JSON text: UTF-8 without a byte order mark, and unambiguous.

    Raises ProtocolError (-32700) for all else: broken syntax, NaN and numbers
    beyond a double, integers over 4,300 digits, lone surrogates, repeated
    keys, more than MAX_DEPTH levels or MAX_NODES values.
    """
    try:
        value = from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise _refused(data, str(error)) from None
    if data.count(b":") != _count_keys(value):
        _check_repeated_keys(data, value)
    return value


def parse(data: bytes) -> Message | Batch:
    """Read one body: a message or, as a tuple, a batch of them.

    An element of a batch that is no message is a ProtocolError in its place.
    Whether a batch is allowed at all is a fact of the revision, not of JSON-RPC.

    Raises ProtocolError: -32700 when the body is not JSON, -32600 when it is not
    a message, with ``request_id`` where the id of a request could be read.
    """
    value = loads(data)
    if isinstance(value, dict):
        return _message(value)
    if not isinstance(value, list):
        raise invalid_request("A message must be a JSON object")
    if not value:
        raise invalid_request("A batch must not be empty")
    return tuple(_element(item) for item in value)


def dumps(value: object) -> bytes:
    """Write JSON on one line. NaN and infinities become null.

    Lone surrogates, which UTF-8 cannot carry, become U+FFFD.

    Raises PydanticSerializationError for values that have no JSON form.
    """
    try:
        return to_json(value, inf_nan_mode="null")
    except (PydanticSerializationError, UnicodeEncodeError) as error:
        if _NOT_UNICODE not in str(error):
            raise
    # Keys are mended first, for they must be right before objects are unfolded.
    plain = to_jsonable_python(_without_surrogates(value))
    return to_json(_without_surrogates(plain), inf_nan_mode="null")


def encode_response(id: Id, result: dict[str, Json] | bytes) -> bytes:
    """Write a success. ``result`` as bytes is JSON already encoded."""
    if isinstance(result, bytes):
        return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (dumps(id), result)
    return dumps({"jsonrpc": "2.0", "id": id, "result": result})


def encode_error(id: Id | None, error: ProtocolError) -> bytes:
    """Write a failure. An id of None, for an unreadable request, is left out.

    Spec: 2026-07-28 schema JSONRPCErrorResponse: the id is optional, never null.
    """
    body = dumps(error.to_json())
    if id is None:
        return b'{"jsonrpc":"2.0","error":%b}' % body
    return b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (dumps(id), body)


def encode_request(id: Id, method: str, params: dict[str, Json]) -> bytes:
    """Write a request of ours. Empty ``params`` are left out."""
    message = {"jsonrpc": "2.0", "id": id, "method": method}
    return dumps({**message, "params": params} if params else message)


def encode_notification(method: str, params: dict[str, Json]) -> bytes:
    """Write a notification. Empty ``params`` are left out."""
    message = {"jsonrpc": "2.0", "method": method}
    return dumps({**message, "params": params} if params else message)


def _parse_error(reason: str) -> ProtocolError:
    return ProtocolError(PARSE_ERROR, f"Parse error: {reason}")


def _refused(data: bytes, reason: str) -> ProtocolError:
    """Say why the engine refused; its reasons hold positions, never content."""
    if data.startswith(_MARKS):
        return _parse_error("JSON must be UTF-8 without a byte order mark")
    if _TOO_DEEP in reason:
        return _too_deep()
    return _parse_error(reason)


def _too_deep() -> ProtocolError:
    return _parse_error(f"nested deeper than {MAX_DEPTH} levels")


def _count_keys(root: Json) -> int:
    """Return the number of keys in the tree, having checked its size and numbers.

    Goes level by level, so that depth needs no recursion, and counts the
    members of a container before it looks at any of them.
    """
    nodes = keys = 0
    level: list[Any] = [[root]]
    for _ in range(MAX_DEPTH + 1):
        deeper: list[Any] = []
        for container in level:
            nodes += len(container)
            if nodes > MAX_NODES:
                raise _parse_error(f"more than {MAX_NODES} values")
            if type(container) is dict:
                keys += len(container)
                container = container.values()
            for value in container:
                kind = type(value)
                if kind is dict or kind is list:
                    deeper.append(value)
                elif kind is float and isinf(value):
                    raise _parse_error("number out of range")
        if not deeper:
            return keys
        level = deeper
    raise _too_deep()


def _check_repeated_keys(data: bytes, value: Json) -> None:
    """Look closer when there are more colons than keys.

    A key has a colon of its own, and the engine keeps the last of those that
    repeat, so that the text as read has fewer colons when it is written again.
    Only a colon written as an escape, ``\\u003a``, could make up for that.
    """
    if b"\\u003" in data or data.count(b":") != to_json(value).count(b":"):
        json.loads(data, object_pairs_hook=_refuse_repeats)


def _refuse_repeats(pairs: list[tuple[str, Json]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise _parse_error("an object repeats a key")


def _element(value: Json) -> Message | ProtocolError:
    if not isinstance(value, dict):
        return invalid_request("Each element of a batch must be a JSON object")
    try:
        return _message(value)
    except ProtocolError as error:
        return error


def _message(value: dict[str, Json]) -> Message:
    if value.get("jsonrpc") != "2.0":
        raise _invalid(value, 'jsonrpc must be "2.0"')
    if "method" not in value:
        return _response(value)
    method = value["method"]
    if type(method) is not str:
        raise _invalid(value, "method must be a string")
    if "result" in value or "error" in value:
        raise _invalid(value, "A request has neither result nor error")
    params = value.get("params", _ABSENT)
    if params is _ABSENT:
        params = {}
    elif type(params) is not dict:
        raise _invalid(value, "params must be an object")
    if "id" not in value:
        return Notification(method, params)
    id = value["id"]
    if not _is_id(id):
        raise _invalid(value, "id must be a string or an integer")
    return Request(id, method, params)


def _response(value: dict[str, Json]) -> Response:
    if ("result" in value) == ("error" in value):
        raise _invalid(value, "A message has one of method, result and error")
    id = value.get("id")
    if "result" in value:
        result = value["result"]
        if not _is_id(id):
            raise _invalid(value, "id of a result must be a string or an integer")
        if type(result) is not dict:
            raise _invalid(value, "result must be an object")
        return Response(id, result, None)
    error = value["error"]
    if id is not None and not _is_id(id):
        raise _invalid(value, "id must be a string, an integer or null")
    if type(error) is not dict:
        raise _invalid(value, "error must be an object")
    if type(error.get("code")) is not int or type(error.get("message")) is not str:
        raise _invalid(value, "error must have an integer code and a string message")
    return Response(id, None, error)


_ABSENT: Final = object()


def _is_id(value: Json) -> bool:
    """Whether it is a JSON string or integer: ``True`` is an int to isinstance."""
    return type(value) is str or type(value) is int


def _invalid(value: dict[str, Json], reason: str) -> ProtocolError:
    """Blame a message, naming its id unless it is an answer.

    The id of an answer is one of ours: sent back in an error, the peer would
    take it for the end of a request of its own.
    """
    error = invalid_request(f"Invalid request: {reason}")
    is_answer = "method" not in value and ("result" in value or "error" in value)
    if not is_answer and _is_id(value.get("id")):
        error.request_id = value["id"]
    return error


def _without_surrogates(value: Json) -> Json:
    if isinstance(value, str):
        # Two halves that belong together become their character again.
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {
            _without_surrogates(key): _without_surrogates(item)
            for key, item in value.items()
        }
    return value
