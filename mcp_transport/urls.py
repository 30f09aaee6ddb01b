"""The endpoints in a project's own urls: ``path("", include("mcp_transport.urls"))``.

Both spellings are routed, because a redirect would turn a POST into a GET.
"""

from __future__ import annotations

from django.urls import path

from mcp_transport.endpoint import endpoint, message, sse
from mcp_transport.protocol.resource_metadata import WELL_KNOWN
from mcp_transport.wellknown import protected_resource

_WELL_KNOWN = WELL_KNOWN.removeprefix("/")

app_name = "mcp_transport"
urlpatterns = [
    path("mcp", endpoint, name="endpoint"),
    path("mcp/", endpoint),
    path("sse", sse, name="sse"),
    path("sse/", sse),
    path("message", message, name="message"),
    path("message/", message),
    path(_WELL_KNOWN, protected_resource, name="protected_resource"),
    path(f"{_WELL_KNOWN}/<path:resource>", protected_resource),
]
