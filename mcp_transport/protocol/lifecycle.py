"""Which method a session accepts in which phase.

Spec: 2025-11-25 basic/lifecycle #initialization.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from mcp_transport.protocol.errors import invalid_request


class Phase(Enum):
    """``NEW`` until ``initialize`` was answered, then ``INITIALIZED``; ``READY``
    once the client has said ``notifications/initialized``.
    """

    NEW = "new"
    INITIALIZED = "initialized"
    READY = "ready"


# Methods that a phase accepts; None accepts every method of the revision.
# After its answer to ``initialize`` the server takes any request: clients that
# send the first one before ``notifications/initialized`` do exist, and the
# rule against it binds them, not the server.
ACCEPTED: Final[dict[Phase, frozenset[str] | None]] = {
    Phase.NEW: frozenset({"initialize", "ping"}),
    Phase.INITIALIZED: None,
    Phase.READY: None,
}


def check_phase(phase: Phase, method: str) -> None:
    """Raises ProtocolError (-32600) when ``method`` comes too early or again."""
    accepted = ACCEPTED[phase]
    if accepted is not None and method not in accepted:
        raise invalid_request(f"{method} came before initialize")
    if method == "initialize" and phase is not Phase.NEW:
        raise invalid_request("this session is initialized already")
