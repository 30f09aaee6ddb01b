"""The table: what answers one who uses another's things, at each door.

Somebody without a valid token is answered 401, whatever is asked: ``NOBODY``. The
rest holds for callers in their own right. A reply to what is another's must be the
same, byte for byte, as the one to what never was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from mcp_transport.protocol.errors import INVALID_PARAMS
from mcp_transport.protocol.peer import CAPABILITIES_KEY, VERSION_KEY
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import PLAIN
from tests.security.things import SHARED, VISIT, Things
from tests.wire.client import mirrored

Json = dict[str, Any]

NOBODY = 401
# How a WebSocket is closed on them, and on who brings a ticket that is used, that is
# of a token that is not valid, or that is none.
NOBODYS_SOCKET = 4401

# What the narrow token does not grant, where the session does not forbid it anyway:
# the status of the reply, and the code of the error in it.
BEYOND_SCOPE = 403
BEYOND = frozenset({"tools/call", "prompts/get", "completion/complete", "state"})

IN_OWN_SESSION = "events in one's own session"

# What is asked with things of another's -> the status of the reply, or the code of
# the JSON-RPC error in it.
STREAMABLE: Mapping[str, int] = {
    "request": 404,
    "initialize": 200,  # opens a session of one's own
    "notification": 404,
    "answer": 404,
    "batch": 404,
    "stream": 404,
    "events": 404,
    IN_OWN_SESSION: 404,
    "end": 404,
}
# Beside a session that is none of theirs there is nothing to end or to go on with.
SSE: Mapping[str, int] = {
    "request": 404,
    "initialize": 404,
    "notification": 404,
    "answer": 404,
    "batch": 404,
    "stream": 200,  # opens a session of one's own
    "end": 405,
}
# The name means something within its caller alone: each has a session of that name.
NAMED: Mapping[str, int] = {
    "request": 200,
    "notification": 202,
    "answer": 202,
    "batch": 400,
    "events": 404,
    "end": 204,
}
STATELESS: Mapping[str, int] = {
    "request": 200,
    "notification": 202,
    "answer": 400,
    "batch": 400,
    "stream": 405,
    "end": 405,
    "cursor": INVALID_PARAMS,
    "state": INVALID_PARAMS,
}

# What is asked in a conversation of one's own -> the code of the error, or None
# where there is none and it changes nothing for the other.
OWN: Mapping[str, int | None] = {
    "cancel": None,
    "answer": None,
    "cursor": INVALID_PARAMS,
    "state": INVALID_PARAMS,
    "unsubscribe": None,
    "level": None,
}


@dataclass(frozen=True)
class Ask:
    """An HTTP request, but for who makes it."""

    verb: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True)
class Row:
    """``make`` is given another's things and one's own."""

    name: str
    make: Callable[[Things, Things], Ask]
    tabled: int
    is_end: bool = False

    def answer(self, is_known: bool, is_narrow: bool) -> int:
        """Return what the table says for such a caller."""
        if not is_known:
            return NOBODY
        is_reached = self.tabled in (200, INVALID_PARAMS)
        if is_narrow and is_reached and self.name in BEYOND:
            return BEYOND_SCOPE
        return self.tabled


# What is asked for by each method.

CALL: Json = {"name": "tell", "arguments": {}}
PARAMS: Mapping[str, Json] = {
    "tools/call": CALL,
    "resources/read": {"uri": SHARED},
    "resources/subscribe": {"uri": SHARED},
    "resources/unsubscribe": {"uri": SHARED},
    "prompts/get": {"name": "letter", "arguments": {"to": "Ada"}},
    "completion/complete": {
        "ref": {"type": "ref/prompt", "name": "letter"},
        "argument": {"name": "to", "value": ""},
    },
    "logging/setLevel": {"level": "debug"},
    "subscriptions/listen": {"notifications": {"resourceSubscriptions": [SHARED]}},
    "batch": {"requests": [{"id": VISIT, "method": "tools/call", "params": CALL}]},
}


def request(revision: Revision, method: str, params: Json | None = None) -> Json:
    params = dict(PARAMS.get(method, {}) if params is None else params)
    if method == "initialize":
        info = {"name": "visitor", "version": "1"}
        params = {"protocolVersion": revision.name, "capabilities": {}}
        params["clientInfo"] = info
    if not revision.stateful:
        params["_meta"] = {
            VERSION_KEY: revision.name,
            CAPABILITIES_KEY: {"sampling": {}},
        }
    return {"jsonrpc": "2.0", "id": VISIT, "method": method, "params": params}


def notification(method: str, theirs: Things) -> Json:
    params = {"requestId": theirs.request} if method.endswith("cancelled") else {}
    return {"jsonrpc": "2.0", "method": method, "params": params}


def answer(theirs: Things) -> Json:
    said = {"type": "text", "text": "stolen"}
    result = {"role": "assistant", "model": "m", "content": said}
    return {"jsonrpc": "2.0", "id": theirs.question, "result": result}


def cursor(theirs: Things) -> Json:
    return {"cursor": theirs.cursor}


def state(theirs: Things) -> Json:
    """Return the params that her call went on with, to the letter."""
    arguments = {"secret": theirs.secret}
    return {
        "name": "ask",
        "arguments": arguments,
        "requestState": theirs.state,
        "inputResponses": {"it": answer(theirs)["result"]},
    }


# How it is asked at each door.

# Writes a message, or None for a GET or a DELETE, into a request.
Write = Callable[[str, object, Things], Ask]
JSON = "application/json"
EVENTS = "text/event-stream"


def streamable(path: str, revision: Revision) -> Write:
    def write(verb: str, message: object, things: Things) -> Ask:
        headers = {
            "Accept": f"{JSON}, {EVENTS}",
            "MCP-Protocol-Version": revision.name,
        }
        if revision.stateful:
            headers["Mcp-Session-Id"] = things.session
        else:
            headers |= mirrored(message)
        return _ask(verb, path, headers, message)

    return write


def sse(verb: str, message: object, things: Things) -> Ask:
    path = "/sse" if verb == "GET" else "/message"
    query = f"?sessionId={things.session}"
    return _ask(verb, path + query, {"Accept": EVENTS}, message)


def named(verb: str, message: object, things: Things) -> Ask:
    headers = {"Accept": JSON, "X-Session-ID": things.session}
    return _ask(verb, "/mcp", headers, message)


def _ask(verb: str, path: str, headers: dict[str, str], message: object) -> Ask:
    if message is None:
        return Ask(verb, path, headers)
    body = json.dumps(message).encode()
    return Ask(verb, path, {**headers, "Content-Type": JSON}, body)


# All together.


def rows(door: str, revision: Revision) -> list[Row]:
    """Return what is asked at a door of HTTP, and what must answer it."""
    if revision is PLAIN:
        return _rows(NAMED, named, revision)
    if door == "sse":
        return _rows(SSE, sse, revision)
    write = streamable("/mcp" if door == "lean" else "/urls/mcp", revision)
    statuses = STREAMABLE if revision.stateful else STATELESS
    return _rows(statuses, write, revision)


def _rows(statuses: Mapping[str, int], write: Write, revision: Revision) -> list[Row]:
    return [
        Row(said.name, _maker(kind, said, write), status, is_end=kind == "end")
        for kind, status in statuses.items()
        for said in _said(kind, revision)
    ]


def _maker(kind: str, said: Said, write: Write) -> Callable[[Things, Things], Ask]:
    def make(theirs: Things, mine: Things) -> Ask:
        things = mine if kind == IN_OWN_SESSION else theirs
        asked = write(said.verb, said.message(theirs), things)
        if not kind.startswith("events"):
            return asked
        back = {**asked.headers, "Last-Event-ID": theirs.event_id}
        return Ask(asked.verb, asked.path, back)

    return make


@dataclass(frozen=True)
class Said:
    """``message`` is given another's things; it is None for a GET or a DELETE."""

    name: str
    verb: str
    message: Callable[[Things], object]


def _said(kind: str, revision: Revision) -> list[Said]:
    """Return all that there is of one kind."""
    if kind == "request":
        return [
            Said(method, "POST", partial(_requested, revision, method))
            for method in sorted(revision.requests - {"initialize"})
        ]
    if kind == "notification":
        return [
            Said(method, "POST", partial(notification, method))
            for method in sorted(revision.notifications)
        ]
    messages: Mapping[str, Callable[[Things], object]] = {
        "initialize": lambda theirs: request(revision, "initialize"),
        "answer": answer,
        "batch": lambda theirs: [request(revision, "tools/call")],
        "cursor": lambda theirs: request(revision, "tools/list", cursor(theirs)),
        "state": lambda theirs: request(revision, "tools/call", state(theirs)),
    }
    if kind in messages:
        return [Said(kind, "POST", messages[kind])]
    return [Said(kind, "DELETE" if kind == "end" else "GET", lambda theirs: None)]


def _requested(revision: Revision, method: str, theirs: Things) -> Json:
    return request(revision, method)
