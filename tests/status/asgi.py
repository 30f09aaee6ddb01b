"""The project, mounted in both ways."""

from __future__ import annotations

from django.core.asgi import get_asgi_application

from mcp_transport.asgi import mount

urls = get_asgi_application()
lean = mount(urls)
