"""What is served where."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, reverse_lazy

from mcp_transport.console import Console
from mcpsite import views

urlpatterns = [
    path("", views.home, name="home"),
    path("docs/<str:name>.md", views.document, name="document"),
    path("admin/", admin.site.urls),
    path(
        "console/",
        Console.as_view(tickets_url=reverse_lazy("api:tickets")),
        name="console",
    ),
    path("api/", include("tools_app.rest.urls")),
    path("", include("mcp_transport.status.urls")),
    path("", include("mcp_transport.urls")),
]
