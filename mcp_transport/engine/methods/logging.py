"""logging/setLevel. Spec: 2025-11-25 server/utilities/logging."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mcp_transport.engine.exchange import Exchange, Methods
from mcp_transport.protocol.peer import check_log_level


async def set_level(exchange: Exchange) -> dict[str, Any]:
    session = exchange.session
    assert session is not None
    level = check_log_level(exchange.params.get("level"))
    session.peer = replace(exchange.peer, log_level=level)
    return exchange.server.encode(exchange, {})


METHODS: Methods = {"logging/setLevel": set_level}
