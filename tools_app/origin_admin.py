"""Allowed origins in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from mcp_transport.conf import get_origins
from tools_app.allowed_origin import AllowedOrigin
from tools_app.origins import AdminOrigins


@admin.register(AllowedOrigin)
class AllowedOriginAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["origin", "note", "created_by", "created_at"]
    list_select_related = ["created_by"]
    search_fields = ["origin", "note"]
    readonly_fields = ["created_by", "created_at"]

    def save_model(
        self, request: HttpRequest, obj: AllowedOrigin, form: Any, change: bool
    ) -> None:
        if not change:
            obj.created_by_id = request.user.pk
        super().save_model(request, obj, form, change)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """List them, and say so where nobody asks for them."""
        if not isinstance(get_origins(), AdminOrigins):
            text = gettext(
                "These origins count for nothing yet. To allow them, have the settings "
                'say: MCP["ORIGINS"] = "tools_app.origins.AdminOrigins"'
            )
            self.message_user(request, text, messages.WARNING)
        return super().changelist_view(request, extra_context)
