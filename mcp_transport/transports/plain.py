"""The plain dialect: bare JSON-RPC by POST, under a session name of the client's.

A request that accepts events is answered by events named ``progress``,
``result`` or ``error``, and ``done``; any other by one JSON-RPC response. A GET
opens the stream of what belongs to no request.

The name means something within its caller alone: two callers that choose the
same name share nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.eventlog import STANDING, Gone, Position
from mcp_transport.engine.exchange import Arrival, Binding, Exchange
from mcp_transport.engine.server import Server
from mcp_transport.engine.session import Session
from mcp_transport.engine.store import Store
from mcp_transport.protocol.errors import ProtocolError, invalid_request
from mcp_transport.protocol.framing import sse_event
from mcp_transport.protocol.lifecycle import Phase
from mcp_transport.protocol.messages import (
    Message,
    Request,
    dumps,
    loads,
    parse,
)
from mcp_transport.protocol.peer import Peer
from mcp_transport.protocol.revisions import PLAIN
from mcp_transport.transports.delivery import Deliveries, live
from mcp_transport.transports.replies import (
    RETRY_MS,
    EventStream,
    answer,
    misread,
    nothing,
    refusal,
)
from mcp_transport.transports.requests import Refused, posted, wire_headers

BINDING = Binding("plain", {PLAIN.name: PLAIN}, {})

NAME_HEADER = "x-session-id"
NAME_PARAMETER = "session"
METHODS = {"Allow": "GET, POST, DELETE, OPTIONS"}

_NAME = re.compile(r"[!-~]{1,128}")


class _Named:
    """A Framing by which a client can come back, as EventSource does by itself.

    A place without data is no event there, and is kept all the same.
    """

    def opening(self, position: Position) -> bytes:
        return self.parting(position, RETRY_MS)

    def event(self, position: Position, message: bytes) -> bytes:
        return named(message, str(position))

    def parting(self, position: Position, retry_ms: int) -> bytes:
        return b"id: %b\nretry: %d\n\n" % (str(position).encode(), retry_ms)


class PlainHTTP:
    """The dialect, as an async view. The caller was authenticated before."""

    def __init__(self, server: Server, store: Store, deliveries: Deliveries) -> None:
        self._server = server
        self._sessions = store.sessions
        self._signals = store.signals
        self._limits = server.limits
        self._deliveries = deliveries

    def speaks(self, request: HttpRequest) -> bool:
        """Tell whether a request is in this dialect: it names its session."""
        return NAME_HEADER in wire_headers(request) or (
            request.method == "GET" and NAME_PARAMETER in request.GET
        )

    async def __call__(
        self, request: HttpRequest, caller: Caller | None
    ) -> HttpResponseBase:
        headers = wire_headers(request)
        if request.method == "OPTIONS":
            return nothing(204, METHODS)
        if caller is None:
            return refusal(401, "a bearer token is needed")
        name = headers.get(NAME_HEADER) or request.GET.get(NAME_PARAMETER, "")
        if not _NAME.fullmatch(name):
            return refusal(400, "X-Session-ID must be 1 to 128 visible characters")
        session_id = self._session_id(caller, name)
        if request.method == "POST":
            return await self._post(request, session_id, caller, headers)
        if request.method == "GET" and hasattr(request, "scope"):
            return await self._get(session_id, caller, headers.get("last-event-id"))
        if request.method == "DELETE":
            await self._sessions.remove(session_id)
            return nothing(204)
        return refusal(405, "this method means nothing here", METHODS)

    async def _post(
        self,
        request: HttpRequest,
        session_id: str,
        caller: Caller,
        headers: Mapping[str, str],
    ) -> HttpResponseBase:
        try:
            message = _single(posted(request, self._limits.max_body_bytes))
        except Refused as error:
            return refusal(error.status, error.reason)
        except ProtocolError as error:
            return misread(error)
        session = await self._session(session_id, caller)
        streams = "text/event-stream" in headers.get("accept", "").lower()
        if streams and isinstance(message, Request) and hasattr(request, "scope"):
            arrival = Arrival(_reporting(message), BINDING, caller, None, session)
            return self._streamed(arrival, session)
        return await self._settled(
            Arrival(message, BINDING, caller, None, session), session, headers
        )

    async def _settled(
        self, arrival: Arrival, session: Session, headers: Mapping[str, str]
    ) -> HttpResponseBase:
        """Answer with the response alone. A client that leaves ends its call."""
        exchange = self._server.open(arrival)
        try:
            await exchange.settle()
        except BaseException:
            exchange.leave()
            raise
        await self._sessions.save(session)
        if exchange.unheard is not None:
            await self._signals.send(exchange.unheard)
        said = exchange.take()
        if not said:
            return nothing(202)
        return answer(exchange, said[-1], headers)

    def _streamed(self, arrival: Arrival, session: Session) -> HttpResponseBase:
        exchange = self._server.open(arrival)
        response = EventStream(
            self._events(exchange, session), BINDING.name, session.peer, session.id
        )
        response.closing.then(exchange.leave)
        return response

    async def _events(
        self, exchange: Exchange, session: Session
    ) -> AsyncIterator[bytes]:
        async for events in live(exchange, self._limits, named):
            if exchange.done:
                await self._deliveries.save(session)
            yield events

    async def _get(
        self, session_id: str, caller: Caller, last: str | None
    ) -> HttpResponseBase:
        session = await self._session(session_id, caller)
        if last is None and await self._deliveries.is_read(session, STANDING):
            return refusal(409, "this session's stream is open already")
        try:
            after = None if last is None else Position.parse(last)
            if after is not None and after.stream != STANDING:
                raise Gone
            events, release = await self._deliveries.read(
                session, STANDING, after, _Named(), self._limits.stream_age_s
            )
        except Gone:
            return refusal(404, "the events after this Last-Event-ID are gone")
        response = EventStream(events, BINDING.name, session.peer, session.id)
        response.answers = False
        response.closing.then(release)
        return response

    async def _session(self, session_id: str, caller: Caller) -> Session:
        """Return the session of this name; it begins with its first use."""
        known = await self._sessions.get(session_id, caller.subject)
        if known is not None:
            return known
        peer = Peer(PLAIN, log_level=PLAIN.default_log_level)
        session = Session(
            session_id,
            caller.subject,
            peer,
            Phase.READY,
            door=BINDING.name,
            token_id=caller.token_id or "",
        )
        await self._sessions.add(session)
        return session

    def _session_id(self, caller: Caller, name: str) -> str:
        """Return the id of a name's session, which no client can make: it would be
        taken for one of ours at another door.
        """
        signed = self._server.signer.sign(
            "plain session", f"{caller.subject}\0{name}".encode()
        )
        return hashlib.sha256(signed.encode()).hexdigest()


def named(message: bytes, id: str | None = None) -> bytes:
    """Write one message as the dialect's events."""
    said: dict[str, Any] = loads(message)
    if said.get("method") == "notifications/progress":
        params = said["params"]
        told = {"type": "progress", "value": params["progress"]}
        told |= {key: params[key] for key in ("total", "message") if key in params}
        return sse_event(dumps(told), event="progress", id=id)
    if "method" in said:
        return sse_event(message, id=id)
    if "error" in said:
        error = said["error"]
        told = {"type": "error", "error": error["message"], "code": error["code"]}
        told |= {"data": error["data"]} if "data" in error else {}
        ended = "error"
    else:
        told, ended = {"type": "complete", "result": said["result"]}, "result"
    told |= {"id": said["id"]} if "id" in said else {}
    return sse_event(dumps(told), event=ended, id=id) + sse_event(b"{}", event="done")


def _single(body: bytes) -> Message:
    """Raises ProtocolError for what is not one message."""
    parsed = parse(body)
    if isinstance(parsed, tuple):
        raise invalid_request("send several requests by the method batch")
    return parsed


def _reporting(message: Request) -> Request:
    """Ask for the progress of a call that is answered by events."""
    meta = message.params.get("_meta")
    if type(meta) is dict and "progressToken" in meta:
        return message
    meta = {**(meta if type(meta) is dict else {}), "progressToken": message.id}
    return Request(message.id, message.method, {**message.params, "_meta": meta})
