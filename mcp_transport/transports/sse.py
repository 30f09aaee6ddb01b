"""HTTP+SSE: a stream of events that the server speaks on, and POSTs to it.

``GET /sse`` opens a session; its first event says where the client posts its
messages. Every answer comes on the stream, and the session ends with it.

Spec: 2024-11-05 basic/transports #http-with-sse.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.eventlog import STANDING, Position
from mcp_transport.engine.exchange import Arrival, Binding
from mcp_transport.engine.server import Server
from mcp_transport.engine.session import Claimed, Session
from mcp_transport.engine.signals import Ended
from mcp_transport.engine.store import Store, StoreUnavailable
from mcp_transport.protocol.errors import ProtocolError, invalid_request
from mcp_transport.protocol.framing import sse_comment, sse_event
from mcp_transport.protocol.messages import (
    Batch,
    Message,
    Request,
    encode_error,
    parse,
)
from mcp_transport.protocol.revisions import STATEFUL
from mcp_transport.transports.claims import claims, used_before
from mcp_transport.transports.delivery import Deliveries
from mcp_transport.transports.replies import (
    EventStream,
    json_reply,
    misread,
    nothing,
    refusal,
)
from mcp_transport.transports.requests import (
    Refused,
    accepts,
    posted,
    wire_headers,
)

logger = logging.getLogger("mcp_transport")

# Clients of later revisions use this transport too, and shake hands as ever.
BINDING = Binding("sse", STATEFUL, {})


class _Endpoint:
    """A Framing without a way back: what was missed is lost with the session."""

    def __init__(self, uri: str) -> None:
        self._uri = uri.encode()

    def opening(self, position: Position) -> bytes:
        return sse_event(self._uri, event="endpoint")

    def event(self, position: Position, message: bytes) -> bytes:
        return sse_event(message)

    def parting(self, position: Position, retry_ms: int) -> bytes:
        return sse_comment()


class HTTPWithSSE:
    """The two endpoints, as async views. The caller was authenticated before."""

    def __init__(self, server: Server, store: Store, deliveries: Deliveries) -> None:
        self._server = server
        self._sessions = store.sessions
        self._signals = store.signals
        self._limits = server.limits
        self._deliveries = deliveries
        self._ending: set[asyncio.Task[None]] = set()

    async def stream(
        self, request: HttpRequest, caller: Caller | None
    ) -> HttpResponseBase:
        """``GET /sse``: open a session and speak on it until the client goes."""
        refused = _refused(request, caller, "GET")
        if refused is not None or caller is None:
            return refused or refusal(401, "a bearer token is needed")
        if not hasattr(request, "scope"):
            return refusal(405, "streams need ASGI", {"Allow": "OPTIONS"})
        accept = wire_headers(request).get("accept", "*/*")
        if not accepts(accept.lower(), "text/event-stream"):
            return refusal(406, "Accept must list text/event-stream")
        session = Session.new(caller, BINDING.name)
        await self._sessions.add(session)
        framing = _Endpoint(_message_uri(request, session))
        age_s = self._limits.session_age_s
        events, release = await self._deliveries.read(
            session, STANDING, None, framing, age_s
        )
        loop = asyncio.get_running_loop()
        response = EventStream(events, BINDING.name, session.peer, session.id)
        response.goodbye = partial(self._deliveries.goodbye, session)
        response.closing.then(release)
        response.closing.then(partial(loop.call_soon_threadsafe, self._closed, session))
        return response

    def _closed(self, session: Session) -> None:
        task = asyncio.create_task(self._end(session))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end(self, session: Session) -> None:
        """Nobody hears of the session's calls any more."""
        ended = Ended(session.id)
        self._server.hear(ended)
        try:
            await self._sessions.remove(session.id)
            await self._signals.send(ended)
        except StoreUnavailable:
            logger.warning("a session was left to expire: the store cannot be reached")

    async def message(
        self, request: HttpRequest, caller: Caller | None
    ) -> HttpResponseBase:
        """``POST /message?sessionId=``: take one message, answered on the stream."""
        refused = _refused(request, caller, "POST")
        if refused is not None or caller is None:
            return refused or refusal(401, "a bearer token is needed")
        try:
            body = posted(request, self._limits.max_body_bytes)
        except Refused as error:
            return refusal(error.status, error.reason)
        session_id = request.GET.get("sessionId")
        if not session_id:
            return refusal(400, "sessionId is missing in the query")
        return await self._take(body, session_id, caller, wire_headers(request))

    async def _take(
        self, body: bytes, session_id: str, caller: Caller, headers: Mapping[str, str]
    ) -> HttpResponseBase:
        try:
            parsed = parse(body)
        except ProtocolError as error:
            return misread(error)
        try:
            session = await self._session(session_id, caller, parsed)
        except Claimed as error:
            return json_reply(used_before(error), headers, 400)
        except ProtocolError as error:
            return json_reply(encode_error(None, error), headers, 400)
        if session is None:
            return refusal(404, "Session not found")
        for message in parsed if isinstance(parsed, tuple) else (parsed,):
            await self._open(message, session, caller)
        return HttpResponse("Accepted", status=202, content_type="text/plain")

    async def _session(
        self, session_id: str, caller: Caller, parsed: Message | Batch
    ) -> Session | None:
        """Return the session that may take a body, with the ids that it claims.

        Raises Claimed, and ProtocolError (-32600) for a batch where there are
        none: one that is refused claims no ids.
        """
        if isinstance(parsed, tuple):
            session = await self._sessions.get(session_id, caller.subject)
            if session is None:
                return None
            if session.peer is None or not session.peer.revision.batching:
                raise invalid_request("this revision has no batches")
        return await self._sessions.get(session_id, caller.subject, claims(parsed))

    async def _open(
        self, message: Message | ProtocolError, session: Session, caller: Caller
    ) -> None:
        if isinstance(message, ProtocolError):
            said = encode_error(message.request_id, message)
            await self._deliveries.say(session, STANDING, said)
            return
        exchange = self._server.open(Arrival(message, BINDING, caller, None, session))
        if isinstance(message, Request):
            await self._deliveries.record_into(session, STANDING, exchange)
            return
        await self._sessions.save(session)
        if exchange.unheard is not None:
            await self._signals.send(exchange.unheard)


def _refused(
    request: HttpRequest, caller: Caller | None, method: str
) -> HttpResponse | None:
    """Return the answer to all but a request of ``method`` by somebody known."""
    allowed = {"Allow": f"{method}, OPTIONS"}
    if request.method == "OPTIONS":
        return nothing(204, allowed)
    if caller is None:
        return refusal(401, "a bearer token is needed")
    if request.method != method:
        return refusal(405, f"send {method}", allowed)
    return None


def _message_uri(request: HttpRequest, session: Session) -> str:
    """Return the place beside the stream's, as a path: clients differ in how they
    resolve anything shorter.
    """
    place = request.path.rstrip("/").rpartition("/")[0]
    return f"{place}/message?sessionId={session.id}"
