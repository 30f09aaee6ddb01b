"""The shop beside Django, as a project mounts it."""

from __future__ import annotations

from django.core.asgi import get_asgi_application

from mcp_transport.asgi import mount

application = mount(get_asgi_application())
