"""The endpoint under Django's own handler, apart from the one beside it."""

from __future__ import annotations

from django.urls import include, path

from tests.security.served.kept import kept

urlpatterns = [path("urls/", include("mcp_transport.urls")), path("kept", kept)]
