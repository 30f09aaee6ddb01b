"""What became of each request and each connection, told to whoever keeps a record.

An observer cannot change what it sees, nor hold it up: a hook can.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.presence import session_handle
from mcp_transport.protocol import tracecontext
from mcp_transport.protocol.messages import Id

if TYPE_CHECKING:
    from mcp_transport.engine.exchange import Exchange

logger = logging.getLogger("mcp_transport")

MAX_NAME_CHARS = 255


class Outcome(StrEnum):
    OK = "ok"
    TOOL_ERROR = "tool_error"
    INPUT_REQUIRED = "input_required"
    ERROR = "error"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"


class ServedRequest(NamedTuple):
    """One request, as its response is given, or is known not to come.

    ``door`` is the name of the binding; ``revision`` and ``client`` (an
    Implementation) are None where the request did not get so far as to say.
    ``began_at`` is in seconds since the epoch. ``error`` is what the client was
    told, ``error_code`` None for a tool's own failure. ``sent_bytes`` counts its
    messages, without their framing. ``known_as`` are the names of the entry that was
    found, with those of what it calls; none where nothing was found. ``notes`` is what
    the call has told of itself by ``Context.note``.
    """

    method: str
    params: Mapping[str, Any]
    request_id: Id
    headers: Mapping[str, str] | None
    caller: Caller
    door: str
    revision: str | None
    client: Mapping[str, Any] | None
    session_id: str | None
    began_at: float
    duration_s: float
    outcome: Outcome
    error_code: int | None
    error: str | None
    sent_bytes: int
    known_as: tuple[str, ...]
    notes: Mapping[str, Any]

    @property
    def name(self) -> str | None:
        """What was called, read or got: the name of a tool or prompt, or a URI, as
        the client wrote it, cut to 255 characters. None where it named nothing.
        """
        said = self.params.get("name", self.params.get("uri"))
        return said[:MAX_NAME_CHARS] if type(said) is str else None

    @property
    def session(self) -> str | None:
        """The handle of the session, which tells it from others and opens none."""
        return None if self.session_id is None else session_handle(self.session_id)

    @property
    def trace_id(self) -> str | None:
        """The id of the client's trace, if it told one: 32 hexadecimal digits."""
        parent = tracecontext.traceparent(self.params, self.headers)
        return None if parent is None else tracecontext.trace_id(parent)


@dataclass(slots=True, eq=False, kw_only=True)
class Connection:
    """A stream that waits for what may come, or a connection that carries messages
    both ways, from its beginning to its end.

    ``client`` and ``revision`` are known once the client has said them. ``ending``
    says why it ended, in a word that is one of few, and is "" until then. Messages
    are counted where they go both ways; of a stream that goes one way the bytes alone,
    as they were written.
    """

    door: str
    caller: Caller
    client: Mapping[str, Any] | None = None
    revision: str | None = None
    began_at: float = field(default_factory=time.time)
    duration_s: float = 0.0
    ending: str = ""
    received: int = 0
    sent: int = 0
    sent_bytes: int = 0


class Wire(Protocol):
    """Is shown each message as it comes and goes, where a server is debugged.

    ``where`` is the door, and what of it; ``message`` is JSON as UTF-8, or empty.
    """

    def received(self, where: str, message: bytes) -> None: ...

    def sent(self, where: str, message: bytes) -> None: ...


class Observer:
    """Is told of what was served; named by dotted path in ``MCP["OBSERVERS"]``.

    The methods are called on the event loop and have to return at once; what one
    raises is logged and concerns nobody else.
    """

    def request_served(self, request: ServedRequest) -> None:
        """A request has its response, or will have none."""

    def request_refused(self, status: int, reason: str) -> None:
        """A door turned somebody away before there was a request: with an HTTP
        status, and with ``reason`` as far as it was told.
        """

    def connection_began(self, connection: Connection) -> None:
        """Somebody is connected who was let in. The same object is told at its end."""

    def connection_ended(self, connection: Connection) -> None:
        """A connection is over, and its record is complete."""

    async def drain(self) -> None:
        """Keep what was observed: the process is about to end."""


def tell(exchange: Exchange, outcome: Outcome, error: str | None) -> None:
    """Tell every observer of a request that is done."""
    arrival, session = exchange.arrival, exchange.session
    peer = exchange.peer if hasattr(exchange, "peer") else None
    served = ServedRequest(
        method=exchange.method,
        params=exchange.params,
        request_id=exchange.request_id,
        headers=arrival.headers,
        caller=arrival.caller,
        door=arrival.binding.name,
        revision=None if peer is None else peer.revision.name,
        client=None if peer is None else peer.info,
        session_id=None if session is None else session.id,
        began_at=exchange.began_at,
        # A clock may be set back meanwhile.
        duration_s=max(0.0, time.time() - exchange.began_at),
        outcome=outcome,
        error_code=None if exchange.error is None else exchange.error.code,
        error=error,
        sent_bytes=exchange.sent_bytes,
        known_as=exchange.known_as,
        notes=exchange.notes,
    )
    _each(exchange.server.observers, lambda one: one.request_served(served))


def tell_refused(observers: Iterable[Observer], status: int, reason: str) -> None:
    """Tell every observer that somebody was turned away."""
    _each(observers, lambda one: one.request_refused(status, reason))


def tell_began(observers: Iterable[Observer], connection: Connection) -> None:
    """Tell every observer that a connection has begun."""
    _each(observers, lambda one: one.connection_began(connection))


def tell_ended(
    observers: Iterable[Observer], connection: Connection, ending: str
) -> None:
    """Tell every observer that a connection is over, unless they were told so
    before. What it says of its end already stays.
    """
    if connection.duration_s:
        return
    connection.ending = connection.ending or ending
    connection.duration_s = max(time.time() - connection.began_at, 1e-6)
    _each(observers, lambda one: one.connection_ended(connection))


def _each(observers: Iterable[Observer], tell: Callable[[Observer], None]) -> None:
    for observer in observers:
        try:
            tell(observer)
        except Exception:
            logger.exception("an observer failed")


def outcome_of(result: dict[str, Any] | bytes) -> tuple[Outcome, str | None]:
    """Return what a result means, and what its client was told of a failure."""
    if isinstance(result, bytes):
        return Outcome.OK, None
    if "inputRequests" in result:
        return Outcome.INPUT_REQUIRED, None
    if result.get("isError") is not True:
        return Outcome.OK, None
    said = [block.get("text", "") for block in result["content"]]
    return Outcome.TOOL_ERROR, "\n".join(said)
