"""WSGI: the pages, and MCP where one request is one JSON reply."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mcpsite.settings")
application = get_wsgi_application()
