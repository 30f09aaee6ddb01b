"""The lean mount: the endpoint beside a Django application, not inside of it.

In a project's ``asgi.py``::

    application = mount(get_asgi_application())
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

from django.core.handlers.asgi import ASGIHandler

from mcp_transport.conf import get_conf, get_server
from mcp_transport.endpoint import get_views, served
from mcp_transport.handler import LeanHandler, Receive, Scope, Send
from mcp_transport.middleware import View
from mcp_transport.protocol.resource_metadata import WELL_KNOWN, metadata_path
from mcp_transport.wellknown import protected_resource

# Any, because servers and frameworks each spell these types in their own way.
Application = Callable[[Any, Any, Any], Awaitable[Any]]


def mount(application: Application, path: str = "/mcp") -> Application:
    """Return an application that serves the endpoint at ``path``, the other doors
    beside it, each with or without a slash at its end, and everything else by
    ``application``.
    """
    max_body_bytes = get_conf().limits.max_body_bytes
    places = {"mcp": path.rstrip("/")}
    beside = places["mcp"].rpartition("/")[0]
    handlers = _well_known(max_body_bytes)
    for name in served():
        handler = LeanHandler(partial(_view, name), max_body_bytes)
        place = places.get(name, f"{beside}/{name}")
        handlers |= {place: handler, f"{place}/": handler}
    sockets: dict[str, Application] = {}
    if "websocket" in get_conf().transports:
        socket = _socket()
        sockets = {f"{beside}/ws": socket, f"{beside}/ws/": socket}
    # Django's own handler serves neither sockets nor a lifespan, and would fail.
    alone = isinstance(application, ASGIHandler)
    elsewhere, living = (refuse, live) if alone else (application, application)

    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            root: str = scope.get("root_path", "")
            handler = handlers.get(scope["path"].removeprefix(root))
            if handler is not None:
                await handler(scope, receive, send)
                return
        elif scope["type"] == "websocket":
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            await sockets.get(path, elsewhere)(scope, receive, send)
            return
        elif scope["type"] == "lifespan":
            await living(scope, receive, send)
            return
        await application(scope, receive, send)

    return mounted


def _well_known(max_body_bytes: int) -> dict[str, LeanHandler]:
    """Return what tells clients where to log in, by path; nothing where nobody does."""
    conf = get_conf()
    if not conf.authorization_servers:
        return {}
    handler = LeanHandler(lambda: protected_resource, max_body_bytes)
    return dict.fromkeys((WELL_KNOWN, metadata_path(conf.resource_url)), handler)


def _socket() -> Application:
    if find_spec("channels") is None:
        return refuse
    from mcp_transport.transports.websocket import MCPConsumer

    return MCPConsumer.as_asgi()


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a WebSocket. Before it is accepted, that is the status 403."""
    await receive()
    await send({"type": "websocket.close"})


async def live(scope: Scope, receive: Receive, send: Send) -> None:
    """Say that the process may start; before it ends, let observers keep what they
    have. Spec: ASGI #lifespan.
    """
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await get_server().drain_observers()
    await send({"type": "lifespan.shutdown.complete"})


def _view(name: str) -> View:
    return get_views()[name]
