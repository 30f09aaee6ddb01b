"""A page of the admin's that shows no rows, and has its place in the index."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest


class PageAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """``may_view`` is the permission of Django's that the page needs.

    There are no rows, and so nothing to add, change or delete: the pages are those
    of ``get_urls`` alone.
    """

    may_view: ClassVar[str]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(self.may_view)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
