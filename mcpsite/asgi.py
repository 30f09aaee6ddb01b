"""ASGI: MCP on the lean mount, everything else by Django."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

from mcp_transport.asgi import mount

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mcpsite.settings")
application = mount(get_asgi_application())
