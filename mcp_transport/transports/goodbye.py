"""What a session is told before the server goes away.

Spec: 2025-11-25 server/utilities/logging; the stateless revision has no log
messages outside of a call.
"""

from __future__ import annotations

from mcp_transport.engine.session import Session
from mcp_transport.protocol.lifecycle import Phase
from mcp_transport.protocol.messages import encode_notification

LEVEL = "notice"
GOING_AWAY = encode_notification(
    "notifications/message",
    {
        "level": LEVEL,
        "logger": "mcp_transport",
        "data": "The server restarts: connect again.",
    },
)


def hears_notices(session: Session) -> bool:
    return (
        session.phase is Phase.READY
        and session.peer is not None
        and session.peer.hears(LEVEL)
    )
