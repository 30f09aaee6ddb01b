"""The view that both mounts serve: the guards around Streamable HTTP."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.core.signals import setting_changed
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from mcp_transport.conf import get_conf, get_server
from mcp_transport.middleware import View, guarded
from mcp_transport.stores.memory import MemoryEvents, MemorySessions
from mcp_transport.transports.streamable import StreamableHTTP


@cache
def get_view() -> View:
    """Return the guarded view, made of the settings when first asked."""
    events = MemoryEvents(get_conf().limits)
    sessions = MemorySessions(get_conf().limits, events)
    streamable = StreamableHTTP(get_server(), sessions, events)

    async def serve(request: HttpRequest) -> HttpResponseBase:
        return await streamable(request, getattr(request, "mcp_caller", None))

    return guarded(serve)


@csrf_exempt
async def endpoint(request: HttpRequest) -> HttpResponseBase:
    """Serve one request. It carries its credential itself, never by cookie, so
    neither CSRF protection nor a login redirect concerns it.
    """
    return await get_view()(request)


# django.contrib.auth.middleware.LoginRequiredMiddleware looks for this.
endpoint.login_required = False  # type: ignore[attr-defined]


def _forget(*, setting: str, **_: Any) -> None:
    if setting in ("MCP", "SECRET_KEY", "SECRET_KEY_FALLBACKS"):
        get_view.cache_clear()


setting_changed.connect(_forget, dispatch_uid="mcp_transport.endpoint")
