"""Every door that a server of ASGI can open: beside Django, and inside of it."""

from __future__ import annotations

from django.core.asgi import get_asgi_application

from mcp_transport.asgi import mount

application = mount(get_asgi_application())
