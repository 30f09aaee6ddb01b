"""Each door that writes events, as a thing that takes a request and gives what was
said to it; an event that is not written as meant is a failure.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

from deploy.servers import Served
from mcp_transport.protocol.peer import CAPABILITIES_KEY, LOG_LEVEL_KEY, VERSION_KEY
from mcp_transport.protocol.revisions import LATEST
from tests.faults.verdict import require
from tests.security import doors
from tests.security.doors import Json, Sent, encoded, messages_of
from tests.security.eventstream import ServerSent, read_all
from tests.security.fuzz import mirrored
from tests.security.keepalive import Line, Reply

REVISION = "2025-11-25"
EVENTS = "text/event-stream"
# What a place in a stream may be called.
PLACE = re.compile(r"[0-9A-Za-z._-]+")
CLAIMS: Json = {
    VERSION_KEY: LATEST.name,
    CAPABILITIES_KEY: {},
    LOG_LEVEL_KEY: "info",
}


class Reader(Protocol):
    """``name`` is how a failure calls it, ``events`` counts what it has read."""

    name: str
    events: int

    async def heard(self, message: Json) -> list[Json]:
        """Return all messages up to the response to a request. Raises Failed."""
        ...


class InSession:
    """POST in a session. What came is asked for once more, by the place before it."""

    name = "streamable"

    def __init__(self, door: doors.Streamable, again: Line) -> None:
        self.events = 0
        self._door = door
        self._again = again

    async def heard(self, message: Json) -> list[Json]:
        reply = await self._door.send(encoded(message), {})
        if reply.headers["content-type"] != EVENTS:
            return messages_of(reply)
        first, *events = _events(reply, {"message"})
        require(first.id is not None and first.data == "", f"no place first: {first}")
        behind = {**doors.BEARER, **self._door.session, "Last-Event-ID": first.id or ""}
        resumed = await self._again.send("GET /mcp", behind)
        same = [event for event in _events(resumed, {"message"}) if event.data]
        require(same == events, f"resumed: {same} is not {events}")
        self.events += len(events) + len(same)
        return _messages(events)


class Stateless:
    """POST without a session."""

    name = "stateless"

    def __init__(self, door: doors.Streamable) -> None:
        self.events = 0
        self._door = door

    async def heard(self, message: Json) -> list[Json]:
        params = message["params"]
        claiming = {**params, "_meta": {**params["_meta"], **CLAIMS}}
        message = {**message, "params": claiming}
        reply = await self._door.send(encoded(message), mirrored(message) or {})
        if reply.headers["content-type"] != EVENTS:
            return messages_of(reply)
        events = _events(reply, {"message"})
        require(all(event.id is None for event in events), f"a place: {events}")
        self.events += len(events)
        return _messages(events)


class HTTPWithSSE:
    """A stream, and POSTs beside it."""

    name = "sse"

    def __init__(self, door: doors.HTTPWithSSE, events: list[ServerSent]) -> None:
        self.events = 0
        self._door = door
        self._heard = events

    async def heard(self, message: Json) -> list[Json]:
        self._heard.clear()
        said = await self._door.ask(Sent(encoded(message)))
        _check(self._heard, {"message"})
        require(_messages(self._heard) == said, f"{self._heard} is not {said}")
        self.events += len(said)
        return said


class Plain:
    """POST in the plain dialect; its events are told in the words of the others."""

    name = "plain"

    def __init__(self, door: doors.Streamable) -> None:
        self.events = 0
        self._door = door

    async def heard(self, message: Json) -> list[Json]:
        reply = await self._door.send(encoded(message), {})
        names = {"message", "progress", "result", "error", "done"}
        *events, last = _events(reply, names)
        require((last.event, last.data) == ("done", "{}"), f"the end is {last}")
        self.events += len(events) + 1
        token = message["params"]["_meta"]["progressToken"]
        return [_translated(event, token) for event in events]


def _translated(event: ServerSent, token: str) -> Json:
    said: Json = json.loads(event.data or "")
    if event.event == "message":
        return said
    expected = {"result": "complete"}.get(event.event or "", event.event)
    require(said.pop("type") == expected, f"{event} is of another type")
    if event.event == "progress":
        params = {"progressToken": token, "progress": said.pop("value"), **said}
        return {
            "jsonrpc": "2.0",
            "method": "notifications/progress",
            "params": params,
        }
    if event.event == "error":
        error = {"message": said["error"], "code": said["code"]}
        if "data" in said:
            error["data"] = said["data"]
        return {"id": said["id"], "error": error}
    return said


def _events(reply: Reply, names: Collection[str]) -> list[ServerSent]:
    events = read_all(bytes(reply.body))
    _check(events, names)
    return events


def _check(events: Sequence[ServerSent], names: Collection[str]) -> None:
    """Raises Failed for an event with a name or a place that no server gives."""
    for event in events:
        is_place = event.id is None or PLACE.fullmatch(event.id) is not None
        # One that has nothing but a place has no name.
        has_name = event.event in names or not event.data
        meant = is_place and has_name and (event.retry or "0").isdecimal()
        require(meant, f"an event that is not meant: {event}")


def _messages(events: Sequence[ServerSent]) -> list[Json]:
    return [json.loads(event.data) for event in events if event.data]


@asynccontextmanager
async def readers(served: Served) -> AsyncIterator[list[Reader]]:
    """Open every door that writes events."""
    events: list[ServerSent] = []
    again = Line(served.port)
    async with AsyncExitStack() as stack:
        stack.callback(again.close)
        enter = stack.enter_async_context
        yield [
            InSession(await enter(doors.streamable(served, REVISION)), again),
            Stateless(await enter(doors.stateless(served))),
            HTTPWithSSE(
                await enter(doors.http_with_sse(served, REVISION, events)), events
            ),
            Plain(await enter(doors.plain(served, "reader", EVENTS))),
        ]
