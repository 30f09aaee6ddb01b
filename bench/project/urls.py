"""The urls mount, as any project would have it, and the view beside it."""

from __future__ import annotations

from django.urls import include, path

from bench.project import views

urlpatterns = [
    path("bare", views.bare),
    path("", include("mcp_transport.urls")),
]
