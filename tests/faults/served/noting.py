"""The project in one process, whose store is its memory. Each request that arrives
at the application is noted in the journal, and so is each connection.
"""

from __future__ import annotations

from typing import Any

from django.core.asgi import get_asgi_application

from mcp_transport.asgi import mount
from tests.faults.served.catalogue import journal

_mounted = mount(get_asgi_application())


async def application(scope: Any, receive: Any, send: Any) -> None:
    journal.write("arrived", kind=scope["type"], path=scope["path"])
    await _mounted(scope, receive, send)
