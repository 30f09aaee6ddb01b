"""ASGI: MCP on the lean mount, everything else by Django."""

from __future__ import annotations

import gc
import os

from django.core.asgi import get_asgi_application

from mcp_transport.asgi import mount

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mcpsite.settings")
application = mount(get_asgi_application())

# What was loaded so far stays for good: without this, each full collection would
# walk all of it again, in the middle of somebody's request.
gc.collect()
gc.freeze()
