"""The endpoint as any project includes it."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("", include("mcp_transport.urls"))]
