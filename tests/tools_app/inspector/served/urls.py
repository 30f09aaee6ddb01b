"""The site's admin, another one, and the endpoint."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from tools_app.inspector.admin import InspectorAdmin
from tools_app.models import Inspector

office = admin.AdminSite(name="office")
office.register(Inspector, InspectorAdmin)

urlpatterns = [
    path("admin/", admin.site.urls),
    path("office/", office.urls),
    path("", include("mcp_transport.urls")),
]
