"""The console, and where its user logs in and gets tickets."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, reverse_lazy

from mcp_transport.console import Console

urlpatterns = [
    path("console/", Console.as_view(tickets_url=reverse_lazy("api:tickets"))),
    path("admin/", admin.site.urls),
    path("api/", include("tools_app.rest.urls")),
]
