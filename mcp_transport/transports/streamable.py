"""Streamable HTTP: one endpoint for every revision.

POST carries messages; GET is the stream of a session for what belongs to no
request, or resumes a broken one; DELETE ends a session. A reply is JSON when
the response is all there is to say, and otherwise a stream of events.

Spec: 2026-07-28 basic/transports/streamable-http; 2025-11-25 basic/transports.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.eventlog import STANDING, Gone, Position
from mcp_transport.engine.exchange import Arrival, Binding, Exchange
from mcp_transport.engine.server import Server
from mcp_transport.engine.session import Claimed, Session
from mcp_transport.engine.signals import Ended
from mcp_transport.engine.store import Store
from mcp_transport.protocol.errors import (
    ProtocolError,
    invalid_request,
)
from mcp_transport.protocol.framing import sse_comment, sse_event
from mcp_transport.protocol.http import (
    SESSION_HEADER,
    classify,
    has_session,
)
from mcp_transport.protocol.lifecycle import Phase
from mcp_transport.protocol.messages import (
    Batch,
    Id,
    Message,
    Request,
    encode_error,
    parse,
)
from mcp_transport.protocol.peer import unsupported_version
from mcp_transport.protocol.revisions import REVISIONS, STATEFUL, STATELESS
from mcp_transport.transports.claims import claims, used_before
from mcp_transport.transports.delivery import (
    Deliveries,
    first_words,
    live,
)
from mcp_transport.transports.replies import (
    RETRY_MS,
    EventStream,
    answer,
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

# Under ASGI all revisions are served; under WSGI, where a reply cannot be
# written piece by piece, those that do not need it.
ASGI = Binding("streamable-http", STATEFUL, STATELESS)
WSGI = Binding("streamable-http", {}, STATELESS, streaming=False)

METHODS = "GET, POST, DELETE, OPTIONS"
STATELESS_METHODS = "POST, OPTIONS"


class Resumable:
    """A Framing of events that a client can come back behind.

    Where the revision primes streams, the first event has a place and no
    message. Spec: 2025-11-25 basic/transports #sending-messages-to-the-server.
    """

    def __init__(self, session: Session) -> None:
        self._primes = session.peer is not None and session.peer.revision.primes_streams

    def opening(self, position: Position) -> bytes:
        return self.parting(position, RETRY_MS) if self._primes else sse_comment()

    def event(self, position: Position, message: bytes) -> bytes:
        return sse_event(message, id=str(position))

    def parting(self, position: Position, retry_ms: int) -> bytes:
        if not self._primes:
            return b"retry: %d\n\n" % retry_ms
        return sse_event(b"", event=None, id=str(position), retry_ms=retry_ms)


class StreamableHTTP:
    """The endpoint, as an async view. The caller was authenticated before."""

    def __init__(self, server: Server, store: Store, deliveries: Deliveries) -> None:
        self._server = server
        self._sessions = store.sessions
        self._signals = store.signals
        self._limits = server.limits
        self._deliveries = deliveries

    async def __call__(
        self, request: HttpRequest, caller: Caller | None
    ) -> HttpResponseBase:
        headers = wire_headers(request)
        binding = ASGI if hasattr(request, "scope") else WSGI
        allowed = METHODS if binding.stateful else STATELESS_METHODS
        if request.method == "OPTIONS":
            return nothing(204, {"Allow": allowed})
        if caller is None:
            return refusal(401, "a bearer token is needed")
        try:
            if request.method == "POST":
                return await self._post(request, caller, headers, binding)
            if request.method in ("GET", "DELETE") and binding.stateful:
                return await self._of_session(request.method, caller, headers)
        except Refused as error:
            return refusal(error.status, error.reason)
        return refusal(405, "this method means nothing here", {"Allow": allowed})

    # POST.

    async def _post(
        self,
        request: HttpRequest,
        caller: Caller,
        headers: Mapping[str, str],
        binding: Binding,
    ) -> HttpResponseBase:
        accept = headers.get("accept", "*/*")
        body = posted(request, self._limits.max_body_bytes, accept)
        try:
            parsed = parse(body)
            revision = classify(parsed, headers, REVISIONS)
        except ProtocolError as error:
            return misread(error)
        if revision is not None:
            assert not isinstance(parsed, tuple)
            arrival = Arrival(parsed, binding, caller, headers)
            return await self._stateless(arrival, headers)
        if not binding.stateful:
            return _only_stateless(parsed, headers)
        if isinstance(parsed, Request) and parsed.method == "initialize":
            return await self._initialize(parsed, caller, headers)
        try:
            if isinstance(parsed, tuple):
                # One that is refused claims no ids.
                _check_batch(parsed, await self._session(caller, headers))
            session = await self._session(caller, headers, claims(parsed))
        except Claimed as error:
            return json_reply(used_before(error), headers)
        except ProtocolError as error:
            return json_reply(encode_error(None, error), headers, 400)
        if isinstance(parsed, tuple):
            return await self._batch(parsed, session, caller, headers)
        return await self._stateful(parsed, session, caller, headers)

    async def _stateless(
        self, arrival: Arrival, headers: Mapping[str, str]
    ) -> HttpResponseBase:
        """Answer a call that ends with its connection."""
        exchange = self._server.open(arrival)
        try:
            if not arrival.binding.streaming:
                await exchange.settle()
            elif not exchange.ready:
                await exchange.wait(self._limits.keep_alive_s)
        except BaseException:
            exchange.leave()
            raise
        if exchange.done and (exchange.pending <= 1 or not arrival.binding.streaming):
            messages = exchange.take()
            if not messages:
                return nothing(202)
            return answer(exchange, messages[-1], headers)
        events = live(exchange, self._limits)
        response = EventStream(events, arrival.binding.name, exchange.peer)
        response.closing.then(exchange.leave)
        return response

    async def _initialize(
        self, message: Request, caller: Caller, headers: Mapping[str, str]
    ) -> HttpResponseBase:
        session = Session.new(caller, ASGI.name)
        exchange = self._server.open(Arrival(message, ASGI, caller, headers, session))
        await exchange.settle()
        response = answer(exchange, exchange.take()[-1], headers)
        if session.phase is not Phase.NEW:
            await self._sessions.add(session)
            response[SESSION_HEADER] = session.id
        return response

    async def _session(
        self, caller: Caller, headers: Mapping[str, str], claimed: Collection[Id] = ()
    ) -> Session:
        """Return the session that the headers name.

        To all but its own caller a session is as unknown as one that never was.
        Raises Claimed, and Refused.
        """
        session_id = headers.get(SESSION_HEADER)
        if session_id is None:
            raise Refused(400, "the header Mcp-Session-Id is missing")
        session = await self._sessions.get(session_id, caller.subject, claimed)
        if session is None:
            raise Refused(404, "Session not found")
        return session

    async def _stateful(
        self,
        message: Message,
        session: Session,
        caller: Caller,
        headers: Mapping[str, str],
    ) -> HttpResponseBase:
        exchange = self._server.open(Arrival(message, ASGI, caller, headers, session))
        if not exchange.ready:
            await exchange.wait(self._limits.keep_alive_s)
        await self._sessions.save(session)
        if exchange.unheard is not None:
            await self._signals.send(exchange.unheard)
        said = exchange.take()
        if exchange.answered and len(said) == 1:
            return answer(exchange, said[0], headers)
        if exchange.done and not said:
            return _nothing_said(message)
        return await self._recorded(session, said, [exchange])

    async def _batch(
        self,
        batch: Batch,
        session: Session,
        caller: Caller,
        headers: Mapping[str, str],
    ) -> HttpResponseBase:
        """Spec: 2025-03-26 basic/index #batching."""
        said = [
            encode_error(item.request_id, item)
            for item in batch
            if isinstance(item, ProtocolError)
        ]
        exchanges = [
            self._server.open(Arrival(item, ASGI, caller, headers, session))
            for item in batch
            if not isinstance(item, ProtocolError)
        ]
        await first_words(exchanges, self._limits.keep_alive_s)
        await self._sessions.save(session)
        for exchange in exchanges:
            if exchange.unheard is not None:
                await self._signals.send(exchange.unheard)
        replies = [exchange.take() for exchange in exchanges]
        said += [message for reply in replies for message in reply]
        if all(exchange.done for exchange in exchanges):
            if not said:
                return nothing(202)
            if all(len(reply) <= 1 for reply in replies):
                return json_reply(b"[%b]" % b",".join(said), headers)
        return await self._recorded(session, said, exchanges)

    async def _recorded(
        self, session: Session, said: list[bytes], exchanges: list[Exchange]
    ) -> HttpResponseBase:
        start = await self._deliveries.record(session, said, exchanges)
        return await self._reading(session, start.stream, start)

    async def _reading(
        self, session: Session, stream: str, after: Position | None
    ) -> StreamingHttpResponse:
        """Raises Gone when the stream cannot be read without a gap."""
        events, release = await self._deliveries.read(
            session, stream, after, Resumable(session), self._limits.stream_age_s
        )
        response = EventStream(events, ASGI.name, session.peer, session.id)
        response.answers = stream != STANDING
        response.goodbye = partial(self._deliveries.goodbye, session)
        response.closing.then(release)
        return response

    # GET and DELETE.

    async def _of_session(
        self, method: str, caller: Caller, headers: Mapping[str, str]
    ) -> HttpResponseBase:
        try:
            is_known = has_session(headers, REVISIONS)
        except ProtocolError as error:
            return misread(error)
        if not is_known:
            return refusal(405, "send POST", {"Allow": STATELESS_METHODS})
        if method == "GET":
            return await self._get(caller, headers)
        return await self._delete(caller, headers)

    async def _get(
        self, caller: Caller, headers: Mapping[str, str]
    ) -> HttpResponseBase:
        if not accepts(headers.get("accept", "*/*").lower(), "text/event-stream"):
            return refusal(406, "Accept must list text/event-stream")
        session = await self._session(caller, headers)
        last = headers.get("last-event-id")
        if last is None and await self._deliveries.is_read(session, STANDING):
            return refusal(409, "this session's stream is open already")
        try:
            if last is None:
                return await self._reading(session, STANDING, None)
            after = Position.parse(last)
            return await self._reading(session, after.stream, after)
        except Gone:
            return refusal(404, "the events after this Last-Event-ID are gone")

    async def _delete(
        self, caller: Caller, headers: Mapping[str, str]
    ) -> HttpResponseBase:
        session = await self._session(caller, headers)
        await self._sessions.remove(session.id)
        ended = Ended(session.id)
        self._server.hear(ended)
        await self._signals.send(ended)
        return nothing(204)


def _nothing_said(message: Message) -> HttpResponse:
    """Accept what wants no response; a request that was cancelled has none."""
    if isinstance(message, Request):
        return HttpResponse(content_type="text/event-stream")
    return nothing(202)


def _only_stateless(
    parsed: Message | Batch, headers: Mapping[str, str]
) -> HttpResponse:
    """Refuse a session where a reply cannot be streamed."""
    asked = (
        parsed.params.get("protocolVersion") if isinstance(parsed, Request) else None
    )
    error = unsupported_version(asked or "a session", STATELESS)
    request_id = parsed.id if isinstance(parsed, Request) else None
    return json_reply(encode_error(request_id, error), headers, HTTPStatus.BAD_REQUEST)


def _check_batch(batch: Batch, session: Session) -> None:
    """Raises ProtocolError (-32600)."""
    if session.peer is None or not session.peer.revision.batching:
        raise invalid_request("this revision has no batches")
    for item in batch:
        if isinstance(item, Request) and item.method == "initialize":
            raise invalid_request("initialize may not be in a batch")
