"""Where tickets are had; the endpoint is mounted beside it."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("api/", include("tools_app.rest.urls"))]
