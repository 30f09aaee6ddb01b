"""The one dispatcher: a message arrives, an exchange answers it.

Nothing here knows of a door, of a revision's name or of Django.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from mcp_transport.engine.answers import Answers
from mcp_transport.engine.caller import Caller
from mcp_transport.engine.calls import CallKey, Calls, Holder, told_to_end
from mcp_transport.engine.catalogue import Catalogue
from mcp_transport.engine.changes import Change, Changes, ListChanged, ListKind
from mcp_transport.engine.context import Context
from mcp_transport.engine.errors import ResourceNotFound
from mcp_transport.engine.exchange import Arrival, Exchange
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.methods import METHODS, STREAMS
from mcp_transport.engine.observing import Observer, Wire
from mcp_transport.engine.quotas import Quotas
from mcp_transport.engine.session import Session
from mcp_transport.engine.signals import (
    Alone,
    Announced,
    Answered,
    Cancelled,
    CatalogueChanged,
    Dismissed,
    Ended,
    Signal,
    Signals,
)
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.protocol.errors import (
    INTERNAL_ERROR,
    ProtocolError,
    TooManyRequests,
    Unavailable,
    invalid_request,
    method_not_found,
)
from mcp_transport.protocol.lifecycle import Phase, check_phase
from mcp_transport.protocol.messages import Notification, Request, Response
from mcp_transport.protocol.peer import (
    CAPABILITIES_KEY,
    SERVER_INFO_KEY,
    VERSION_KEY,
    Peer,
    claimed_version,
    missing_meta,
)
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.signing import Signer

logger = logging.getLogger("mcp_transport")

# When it is worth to ask again where too much runs at a time: nobody knows, soon.
BUSY_S = 1

T = TypeVar("T")
Result = dict[str, Any] | bytes
CallNext = Callable[[Context], Awaitable[Result]]
Hook = Callable[[Context, CallNext], Awaitable[Result]]


class RunSync(Protocol):
    """Runs a plain function away from the event loop; see engine.threads."""

    async def __call__(self, function: Callable[[], T]) -> T: ...


def nothing_to_say(error: Exception) -> str | None:
    return None


class Server:
    """One catalogue, served to any number of doors.

    ``info`` is the server's Implementation: name, version and, if wanted,
    title, description, websiteUrl, icons. ``hooks`` wrap every request, the
    first outermost. ``list_ttl_ms`` is how long a client may keep a list.
    ``explain`` turns an exception of the application's own into words for a
    model, or None to keep it inside; ``missing`` are those of its exceptions
    that mean "there is no such resource". ``signals`` is the way to the
    other processes that serve the same sessions. ``quotas`` say how often a
    caller is served. ``observers`` are told of every request, and ``wire`` is shown
    every message.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        info: Mapping[str, Any],
        signer: Signer,
        run_sync: RunSync,
        instructions: str | None = None,
        hooks: Sequence[Hook] = (),
        limits: Limits | None = None,
        list_ttl_ms: int = 0,
        explain: Callable[[Exception], str | None] = nothing_to_say,
        missing: tuple[type[Exception], ...] = (),
        signals: Signals | None = None,
        quotas: Quotas | None = None,
        observers: Sequence[Observer] = (),
        wire: Wire | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.info = dict(info)
        self.signer = signer
        self.run_sync = run_sync
        self.instructions = instructions
        self.limits = limits or Limits()
        self.list_ttl_ms = list_ttl_ms
        self.explain = explain
        self.missing: tuple[type[Exception], ...] = (ResourceNotFound, *missing)
        self.answers = Answers(signer)
        self.quotas = quotas or Quotas()
        self.calls = Calls()
        self.signals = signals or Alone()
        self.changes = Changes(self.signals.attend)
        self.listeners: set[asyncio.Future[None]] = set()
        self.ends_streams = False
        self._metas: dict[str, dict[str, Any]] = {}
        self._hooks = tuple(hooks)
        self.observers = tuple(observers)
        self.wire = wire
        self._attends = False
        catalogue.watch(self._list_changed)

    def open(self, arrival: Arrival) -> Exchange:
        """Take one message in. The exchange that comes back has begun already:
        what needs no waiting is done.
        """
        exchange = Exchange(self, arrival)
        message = arrival.message
        if not self._attends and arrival.binding.streaming:
            # Whoever is served is to see what the others change.
            self._attends = True
            self.signals.attend()
        if isinstance(message, Request):
            self._request(exchange, message)
        else:
            if arrival.session is not None:
                exchange.unheard = self._of_session(arrival.session, message)
            exchange.end()
        return exchange

    def _request(self, exchange: Exchange, message: Request) -> None:
        arrival = exchange.arrival
        try:
            exchange.peer = self._peer(arrival, message)
        except ProtocolError as error:
            exchange.refuse(error)
            return
        try:
            if message.method not in exchange.peer.revision.requests:
                raise method_not_found(message.method)
            if exchange.peer.revision.stateful:
                key = self._session_key(arrival, message)
            else:
                key = None
            holder = self._holder(arrival.caller, message.method)
        except ProtocolError as error:
            exchange.fail(error)
            return
        self.calls.start(exchange.call, self._answer(exchange), key, holder)

    def _peer(self, arrival: Arrival, message: Request) -> Peer:
        """Return who asks: by what the request claims, else by its session.

        Where no stateless revision is served a claim means nothing: a client that
        tries is to hear what a server of old would say, and shake hands then.
        """
        claims = claimed_version(message.params) is not None
        if claims and arrival.binding.stateless:
            return Peer.from_meta(message.params, arrival.binding.stateless)
        session = arrival.session
        if session is None:
            raise missing_meta(VERSION_KEY, CAPABILITIES_KEY)
        if session.peer is None or message.method in session.peer.revision.requests:
            check_phase(session.phase, message.method)
        if session.phase is Phase.NEW and message.method == "initialize":
            return Peer.from_initialize(message.params, arrival.binding.stateful)
        if session.peer is None:
            return Peer(list(arrival.binding.stateful.values())[-1])
        return session.peer

    def _session_key(self, arrival: Arrival, message: Request) -> CallKey:
        """Return what a cancel names the call by; ids are the session's own.

        Raises ProtocolError for an id that a running call has.
        """
        assert arrival.session is not None
        key = (arrival.session.id, message.id)
        if self.calls.holds(key):
            raise invalid_request("a request with this id is still running")
        return key

    def _holder(self, caller: Caller, method: str) -> Holder:
        """Return for whom a call is held. Raises TooManyRequests where as many are
        already as may: a call that does not have to wait holds nothing.
        """
        if method in STREAMS:
            holder, most = (caller.subject, "streams"), self.limits.max_streams
        else:
            holder = caller.subject, "calls"
            most = caller.max_calls or self.limits.max_calls
        if self.calls.held(holder) >= most:
            raise TooManyRequests(f"{most} {holder[1]} are open already", BUSY_S)
        return holder

    async def _answer(self, exchange: Exchange) -> None:
        """Run the method and send its response. Never raises but to be cancelled."""
        try:
            if self.quotas.bind(exchange.caller):
                await self.quotas.spend(exchange.caller, exchange.session)
            if self._hooks:
                result = await self._hooked(exchange)
            else:
                result = await METHODS[exchange.method](exchange)
            exchange.respond(result)
        except ProtocolError as error:
            exchange.fail(error)
        except StoreUnavailable:
            # Nobody is served uncounted.
            exchange.fail(Unavailable("this cannot be served at the moment", BUSY_S))
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            exchange.end()
            raise
        except asyncio.CancelledError:
            if told_to_end():
                exchange.end()
                raise
            exchange.fail(self.internal_error(exchange.method))
        except BaseException:
            exchange.fail(self.internal_error(exchange.method))

    async def _hooked(self, exchange: Exchange) -> Result:
        async def innermost(context: Context) -> Result:
            return await METHODS[exchange.method](exchange)

        call_next: CallNext = innermost
        for hook in reversed(self._hooks):
            call_next = _bind(hook, call_next)
        return await call_next(Context(exchange, {}))

    def internal_error(self, what: str) -> ProtocolError:
        """Log the exception being handled; return an error that only names it."""
        return ProtocolError(INTERNAL_ERROR, f"Internal error ({self.report(what)})")

    def report(self, what: str) -> str:
        """Log the exception being handled; return the reference it is found by."""
        reference = secrets.token_hex(4)
        logger.exception("%s failed, reference %s", what, reference)
        return reference

    def _of_session(
        self, session: Session, message: Notification | Response
    ) -> Signal | None:
        """Take what wants no answer. Return what concerned nothing that runs here,
        and so may concern another process.
        """
        signal: Signal
        if isinstance(message, Response):
            if not self.answers.asked(session.id, message.id):
                logger.info("an answer to no question of ours was dropped")
                return None
            signal = Answered(session.id, message)
        elif message.method == "notifications/cancelled":
            request_id = message.params.get("requestId")
            if type(request_id) not in (str, int):
                return None
            signal = Cancelled(session.id, request_id)  # type: ignore[arg-type]
        else:
            if message.method == "notifications/initialized":
                session.initialized()
            return None
        return None if self.hear(signal) else signal

    def hear(self, signal: Signal | Announced) -> bool:
        """Take what this or another process was told; False when nothing here was
        concerned. A call that is unknown, or has finished, is no matter.

        Spec: 2025-11-25 basic/utilities/cancellation.
        """
        if isinstance(signal, Cancelled):
            return self.calls.cancel((signal.session_id, signal.request_id))
        if isinstance(signal, Answered):
            return self.answers.put(signal.session_id, signal.response)
        if isinstance(signal, Ended):
            self.calls.cancel_session(signal.session_id)
            return False
        if isinstance(signal, Dismissed):
            # What is open is for the doors to end.
            return False
        if isinstance(signal, CatalogueChanged):
            self.catalogue.renew()
        elif not isinstance(signal, ListChanged) or signal.number is None:
            self.changes.publish(signal)
        return True

    def announce(self, change: Change) -> None:
        """Tell all that want to know of a change. Any thread may call it."""
        self.changes.publish(change)
        self.signals.announce(change)

    def _list_changed(self, kind: ListKind, number: int | None = None) -> None:
        self.announce(ListChanged(kind, number))

    def end_streams(self) -> None:
        """End every listen stream with its result, as before a shutdown, and each
        that is opened from now on.

        Spec: 2026-07-28 basic/patterns/subscriptions #ending.
        """
        self.ends_streams = True
        for ended in list(self.listeners):
            if not ended.done():
                ended.set_result(None)

    async def drain_observers(self) -> None:
        """Let every observer keep what it has, before the process ends."""
        for observer in self.observers:
            try:
                await observer.drain()
            except Exception:
                logger.exception("an observer could not keep what it has")

    def encode(self, exchange: Exchange, result: dict[str, Any]) -> dict[str, Any]:
        """Return a method's result in the form of the peer's revision."""
        revision = exchange.peer.revision
        encoded = revision.encode(exchange.method, result)
        if not revision.stateful:
            meta = self._meta(revision)
            own = encoded.get("_meta")
            encoded["_meta"] = {**own, **meta} if own else meta
        return encoded

    def _meta(self, revision: Revision) -> dict[str, Any]:
        """Spec: 2026-07-28 basic/index: a result SHOULD name its server."""
        known = self._metas.get(revision.name)
        if known is None:
            info = revision.prune("Implementation", self.info)
            known = self._metas[revision.name] = {SERVER_INFO_KEY: info}
        return known


def _bind(hook: Hook, call_next: CallNext) -> CallNext:
    async def bound(context: Context) -> Result:
        return await hook(context, call_next)

    return bound
