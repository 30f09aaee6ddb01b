"""The endpoints in a project's own urls: ``path("", include("mcp_transport.urls"))``.

Both spellings are routed, because a redirect would turn a POST into a GET.
"""

from __future__ import annotations

from django.urls import path

from mcp_transport.endpoint import endpoint, message, sse

app_name = "mcp_transport"
urlpatterns = [
    path("mcp", endpoint, name="endpoint"),
    path("mcp/", endpoint),
    path("sse", sse, name="sse"),
    path("sse/", sse),
    path("message", message, name="message"),
    path("message/", message),
]
