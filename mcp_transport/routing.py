"""The WebSocket in a project's own routing, which needs Channels.

In ``asgi.py``::

    ProtocolTypeRouter({"websocket": URLRouter(websocket_urlpatterns), ...})
"""

from __future__ import annotations

from typing import Any

from django.urls import path

from mcp_transport.transports.websocket import MCPConsumer

# Any, because path() is typed for views alone.
_socket: Any = MCPConsumer.as_asgi()

websocket_urlpatterns = [path("ws", _socket), path("ws/", _socket)]
