"""``path("", include("mcp_transport.status.urls"))`` in a project's own urls."""

from __future__ import annotations

from django.urls import path

from mcp_transport.status.health import health, live, ready
from mcp_transport.status.metrics import metrics

app_name = "mcp_status"
urlpatterns = [
    path("health", health, name="health"),
    path("health/live", live, name="live"),
    path("health/ready", ready, name="ready"),
    path("metrics", metrics, name="metrics"),
]
