"""What of this process can be counted at any moment."""

from __future__ import annotations

from mcp_transport.conf import get_server, get_store
from mcp_transport.monitoring.gauges import register_gauge
from mcp_transport.transports.delivery import get_deliveries


def in_flight() -> int:
    """Return how many requests run, beside those that only listen."""
    server = get_server()
    return max(0, len(server.calls) - len(server.listeners))


def listeners() -> int:
    return len(get_server().listeners)


def sessions() -> int:
    """Return how many there are in the store, whichever process began them. Raises
    StoreUnavailable.
    """
    return get_store().sessions.count()


def log_depth() -> int:
    return len(get_deliveries())


def register() -> None:
    """Let them be read as gauges."""
    register_gauge("mcp_requests_in_flight", "Requests that run.", in_flight)
    register_gauge(
        "mcp_listeners", "Requests that listen to changes, without sessions.", listeners
    )
    register_gauge("mcp_sessions", "Sessions in the store.", sessions, across="max")
    register_gauge(
        "mcp_log_depth",
        "Streams of sessions that are being written to the event log.",
        log_depth,
    )
