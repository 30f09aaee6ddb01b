"""What became of each request, told to whoever keeps a record.

An observer cannot change what it sees, nor hold it up: a hook can.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mcp_transport.engine.caller import Caller
from mcp_transport.protocol import tracecontext
from mcp_transport.protocol.messages import Id

if TYPE_CHECKING:
    from mcp_transport.engine.exchange import Exchange

logger = logging.getLogger("mcp_transport")


class Outcome(StrEnum):
    OK = "ok"
    TOOL_ERROR = "tool_error"
    INPUT_REQUIRED = "input_required"
    ERROR = "error"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ServedRequest:
    """One request, as its response is given, or is known not to come.

    ``door`` is the name of the binding; ``revision`` and ``client`` (an
    Implementation) are None where the request did not get so far as to say.
    ``began_at`` is in seconds since the epoch. ``error`` is what the client was
    told, ``error_code`` None for a tool's own failure. ``sent_bytes`` counts its
    messages, without their framing. ``notes`` is what the call has told of itself by
    ``Context.note``.
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
    notes: Mapping[str, Any]

    @property
    def trace_id(self) -> str | None:
        """The id of the client's trace, if it told one: 32 hexadecimal digits."""
        parent = tracecontext.traceparent(self.params, self.headers)
        return None if parent is None else tracecontext.trace_id(parent)


class Observer:
    """Is told of what was served; named by dotted path in ``MCP["OBSERVERS"]``.

    The methods are called on the event loop and have to return at once; what one
    raises is logged and concerns nobody else.
    """

    def request_served(self, request: ServedRequest) -> None:
        """A request has its response, or will have none."""

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
        duration_s=time.time() - exchange.began_at,
        outcome=outcome,
        error_code=None if exchange.error is None else exchange.error.code,
        error=error,
        sent_bytes=exchange.sent_bytes,
        notes=exchange.notes,
    )
    for observer in exchange.server.observers:
        try:
            observer.request_served(served)
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
