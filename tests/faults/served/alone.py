"""The project as it is, by one process that shares nothing."""

from __future__ import annotations

from django.core.asgi import get_asgi_application

from mcp_transport.asgi import mount

application = mount(get_asgi_application())
