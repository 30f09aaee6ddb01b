"""The fixtures under Django's own ASGI handler and middleware."""

from __future__ import annotations

from django.core.asgi import get_asgi_application

application = get_asgi_application()
