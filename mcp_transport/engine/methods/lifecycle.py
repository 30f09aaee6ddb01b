"""initialize, ping, server/discover.

Spec: 2025-11-25 basic/lifecycle; 2026-07-28 server/discover.
"""

from __future__ import annotations

from typing import Any

from mcp_transport.engine.exchange import Exchange, Methods
from mcp_transport.protocol.lifecycle import Phase


def offered(exchange: Exchange) -> dict[str, Any]:
    """Return the server's capabilities at this door.

    The lists are offered even when they are empty: they may fill at any time.
    """
    live = {"listChanged": True} if exchange.arrival.binding.streaming else {}
    subscribe = {"subscribe": True} if exchange.arrival.binding.streaming else {}
    return {
        "tools": live,
        "resources": {**live, **subscribe},
        "prompts": live,
        "completions": {},
        "logging": {},
    }


def described(exchange: Exchange) -> dict[str, Any]:
    server = exchange.server
    said: dict[str, Any] = {
        "capabilities": offered(exchange),
        "serverInfo": server.info,
    }
    if server.instructions:
        said["instructions"] = server.instructions
    return said


async def initialize(exchange: Exchange) -> dict[str, Any]:
    session = exchange.session
    assert session is not None
    session.peer = exchange.peer
    session.phase = Phase.INITIALIZED
    return exchange.server.encode(
        exchange,
        {"protocolVersion": exchange.peer.revision.name, **described(exchange)},
    )


async def discover(exchange: Exchange) -> dict[str, Any]:
    result = {
        "supportedVersions": list(exchange.arrival.binding.stateless),
        "ttlMs": exchange.server.list_ttl_ms,
        **described(exchange),
    }
    return exchange.server.encode(exchange, result)


async def ping(exchange: Exchange) -> dict[str, Any]:
    return exchange.server.encode(exchange, {})


METHODS: Methods = {"initialize": initialize, "server/discover": discover, "ping": ping}
