"""The site's rows in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from mcpsite.models import Feature, Feedback


@admin.register(Feature)
class FeatureAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Read only: the rows are written from the code at each start."""

    list_display = ["name", "kind"]
    list_filter = ["kind", "revisions"]
    search_fields = ["name"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Feature | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Feature | None = None
    ) -> bool:
        return False


@admin.register(Feedback)
class FeedbackAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["page", "rating", "comment", "subject", "created_at"]
    list_filter = ["rating", "page"]
    search_fields = ["comment", "subject"]
    readonly_fields = ["subject", "created_at"]
