"""What is served where."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from mcpsite import views

urlpatterns = [
    path("", views.home, name="home"),
    path("docs/<str:name>.md", views.document, name="document"),
    path("admin/", admin.site.urls),
    path("api/", include("tools_app.rest.urls")),
    path("", include("mcp_transport.status.urls")),
    path("", include("mcp_transport.urls")),
]
