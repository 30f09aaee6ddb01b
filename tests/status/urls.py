"""The endpoint and the status of a project."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("mcp_transport.status.urls")),
    path("", include("mcp_transport.urls")),
]
