"""The endpoint under Django's own handler, apart from the one beside it."""

from __future__ import annotations

from django.urls import include, path

from tests.security.served.kept import kept
from tests.security.served.ticket import ticket

urlpatterns = [
    path("urls/", include("mcp_transport.urls")),
    path("kept", kept),
    path("ticket", ticket),
]
