"""The endpoint of the project, mounted in both ways."""

from __future__ import annotations

from django.core.asgi import get_asgi_application

from mcp_transport.asgi import mount

# Under Django's own handler and middleware, by the URLs.
urls = get_asgi_application()
# Beside it, on the lean handler.
lean = mount(urls)
