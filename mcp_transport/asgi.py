"""The lean mount: the endpoint beside a Django application, not inside of it.

In a project's ``asgi.py``::

    application = mount(get_asgi_application())
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from mcp_transport.conf import get_conf
from mcp_transport.endpoint import get_view
from mcp_transport.handler import LeanHandler, Receive, Scope, Send

# Any, because servers and frameworks each spell these types in their own way.
Application = Callable[[Any, Any, Any], Awaitable[Any]]


def mount(application: Application, path: str = "/mcp") -> Application:
    """Return an application that serves the endpoint at ``path``, with or without
    a slash at its end, and everything else by ``application``.
    """
    handler = LeanHandler(get_view, get_conf().limits.max_body_bytes)
    bare = path.rstrip("/")
    served = frozenset({bare, bare + "/"})

    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            root: str = scope.get("root_path", "")
            if scope["path"].removeprefix(root) in served:
                await handler(scope, receive, send)
                return
        await application(scope, receive, send)

    return mounted
