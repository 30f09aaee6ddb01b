"""What an operator sees of the server: observers, a hook, and forms for the log.

Each name is imported when it is asked for, so that nobody needs the packages of
what is not used: ``Metrics`` takes the extra ``metrics``, ``tracing`` the extra
``tracing``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp_transport.monitoring.calllog import CallLog
    from mcp_transport.monitoring.gauges import register_gauge
    from mcp_transport.monitoring.jsonformat import JsonFormatter
    from mcp_transport.monitoring.metrics import Metrics

_PLACES = {
    "CallLog": "calllog",
    "JsonFormatter": "jsonformat",
    "Metrics": "metrics",
    "register_gauge": "gauges",
}

__all__ = ["CallLog", "JsonFormatter", "Metrics", "register_gauge"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
