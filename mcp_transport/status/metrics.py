"""``/metrics``: what Prometheus scrapes."""

from __future__ import annotations

from functools import cache

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from mcp_transport.conf import get_server
from mcp_transport.connections import closing_old_connections
from mcp_transport.engine.threads import Threads
from mcp_transport.status.access import may_read, refusal


@cache
def _threads() -> Threads:
    """What is counted may have to be asked for; no tool can hold this thread."""
    return Threads(1, closing_old_connections)


@never_cache
@require_safe
async def metrics(request: HttpRequest) -> HttpResponse:
    """Tell what was counted, in the text format.

    Raises ImproperlyConfigured where prometheus-client is missing.
    """
    if not may_read(request):
        return refusal()
    try:
        from mcp_transport.monitoring.metrics import CONTENT_TYPE, exposition
    except ImportError as error:
        raise ImproperlyConfigured(f"/metrics: {error}") from error
    get_server()  # made here, on the loop, and not by whoever reads a gauge
    return HttpResponse(await _threads()(exposition), content_type=CONTENT_TYPE)


# django.contrib.auth.middleware.LoginRequiredMiddleware looks for this.
metrics.login_required = False  # type: ignore[attr-defined]
