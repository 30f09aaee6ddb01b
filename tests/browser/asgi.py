"""The desk on the lean handler."""

from __future__ import annotations

from django.core.asgi import get_asgi_application

from mcp_transport.asgi import mount

application = mount(get_asgi_application())
