"""The catalogue in the admin: what models may do, seen and steered."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from tools_app.catalogue.checking import OF_TOOLS, why_not_permission
from tools_app.catalogue.configured import configured_catalogue, entry_of
from tools_app.catalogue.entry import OVERRIDES, CatalogueEntry
from tools_app.catalogue.forms import (
    ANNOTATION,
    ARGUMENT,
    RESET,
    SPEC,
    EntryForm,
    fields_of,
    form_for,
)
from tools_app.catalogue.listing import (
    Calls,
    CallsFilter,
    CatalogueList,
    StateFilter,
    TagFilter,
    broken_rows,
)
from tools_app.kinds.prompt_preview import PromptPreviewAdmin
from tools_app.kinds.registry import CODE, entry_kinds
from tools_app.transfer.admin import TransferAdmin

# What an administrator changes: the rest is what is known of the code.
STEERED = (*OVERRIDES, "key", "enabled", "spec", "changed_at")
_RECORD = ("kind", "made_by", "state", "created_at", "changed_at")
_SHOWN = ("preview",)


@admin.register(CatalogueEntry)
class CatalogueAdmin(TransferAdmin, PromptPreviewAdmin):
    change_form_template = "tools_app/catalogue_change_form.html"
    change_list_template = "tools_app/catalogue_change_list.html"
    list_display = [
        "key",
        "kind",
        "state",
        "recent_calls",
        "last_called",
        "shown_title",
        "made_by",
        "shown_tags",
    ]
    list_filter = [
        "kind",
        StateFilter,
        "source",
        "app_label",
        TagFilter,
        CallsFilter,
    ]
    search_fields = ["key", "title", "description", "code"]
    search_help_text = _("Searches names, titles and descriptions.")
    list_per_page = 100
    actions = [
        "switch_on",
        "switch_off",
        "reset_to_code",
        "delete_missing",
        "export_selected",
    ]

    class Media:
        css = {"all": ["tools_app/catalogue.css"]}

    # The list.

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Any]:
        return CatalogueList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """List them, and say so where nobody asks for them."""
        if configured_catalogue() is None:
            text = gettext(
                "What is said here counts for nothing yet. To serve it, have the "
                'settings say: MCP["CATALOGUE"] = "tools_app.catalogue.AdminCatalogue"'
            )
            self.message_user(request, text, messages.WARNING)
        return super().changelist_view(request, extra_context)

    @admin.display(description=_("title"))
    def shown_title(self, row: CatalogueEntry) -> str:
        return row.title or row.code.get("title", "")

    @admin.display(description=_("tags"))
    def shown_tags(self, row: CatalogueEntry) -> str:
        return ", ".join(row.code.get("tags", ()) if row.tags is None else row.tags)

    @admin.display(description=_("source"), ordering="source")
    def made_by(self, row: CatalogueEntry) -> str:
        """Say whose code it is, or what kind of entry without code."""
        if row.is_from_code:
            app = row.app_label
            return gettext("code of %s") % app if app else gettext("code")
        kind = entry_kinds().get(row.source)
        return row.source if kind is None else str(kind.label)

    @admin.display(description=_("state"), ordering="enabled")
    def state(self, row: CatalogueEntry) -> str:
        """Say what is served of it. On the page of one entry nobody has looked yet."""
        broken = row.broken if hasattr(row, "broken") else broken_rows().get(row.pk)
        if not row.enabled:
            return gettext("off")
        if broken:
            return gettext("not servable: %s") % broken
        if row.missing_since is not None:
            return gettext("code gone")
        changed = row.is_from_code and row.overrides
        return gettext("on, changed") if changed else gettext("on")

    @admin.display(description=_("last called"), empty_value="-")
    def last_called(self, row: Any) -> datetime | None:
        last: datetime | None = row.calls.last_at
        return last

    @admin.display(description=_("calls in 24 h"), empty_value="-")
    def recent_calls(self, row: Any) -> str | None:
        calls: Calls = row.calls
        if not calls.failed:
            return str(calls.recent) if calls.recent else None
        errors = ngettext("%d error", "%d errors", calls.failed) % calls.failed
        return f"{calls.recent} ({errors})"

    # Actions.

    @admin.action(description=_("Switch on selected entries"), permissions=["change"])
    def switch_on(
        self, request: HttpRequest, queryset: QuerySet[CatalogueEntry]
    ) -> None:
        self._switch(request, queryset, True, gettext("Switched on."))

    @admin.action(description=_("Switch off selected entries"), permissions=["change"])
    def switch_off(
        self, request: HttpRequest, queryset: QuerySet[CatalogueEntry]
    ) -> None:
        self._switch(request, queryset, False, gettext("Switched off."))

    def _switch(
        self,
        request: HttpRequest,
        queryset: QuerySet[CatalogueEntry],
        enabled: bool,
        said: str,
    ) -> None:
        self._change_each(
            request, queryset.exclude(enabled=enabled), {"enabled": enabled}, said
        )

    @admin.action(
        description=_("Reset selected entries to the code"), permissions=["change"]
    )
    def reset_to_code(
        self, request: HttpRequest, queryset: QuerySet[CatalogueEntry]
    ) -> None:
        differing = [row for row in queryset.filter(source=CODE) if row.overrides]
        allowed: list[int] = []
        for row in differing:
            reason = why_not_permission(request.user, row, "")
            if reason is None:
                allowed.append(row.pk)
            else:
                self.message_user(request, f"{row}: {reason}", messages.ERROR)
        rows = queryset.filter(pk__in=allowed)
        self._change_each(request, rows, OVERRIDES, gettext("Reset to the code."))

    def _change_each(
        self,
        request: HttpRequest,
        queryset: QuerySet[CatalogueEntry],
        values: dict[str, Any],
        said: str,
    ) -> None:
        with transaction.atomic():
            # As they are now, and locked: the history tells what was changed.
            rows = list(queryset.select_for_update())
            chosen = CatalogueEntry.objects.filter(pk__in=[row.pk for row in rows])
            chosen.update(**values)
            for row in rows:
                self.log_change(request, row, said)
        text = ngettext(
            "%d entry was changed.", "%d entries were changed.", len(rows)
        ) % len(rows)
        self.message_user(request, text, messages.SUCCESS)

    @admin.action(
        description=_("Delete selected entries whose code is gone"),
        permissions=["delete"],
    )
    def delete_missing(
        self, request: HttpRequest, queryset: QuerySet[CatalogueEntry]
    ) -> None:
        with transaction.atomic():
            missing = queryset.exclude(missing_since=None)
            count = missing.count()
            self.log_deletions(request, missing)
            missing.delete()
        text = (
            ngettext("%d entry was deleted.", "%d entries were deleted.", count) % count
        )
        self.message_user(request, text, messages.SUCCESS)

    def has_delete_permission(
        self, request: HttpRequest, obj: CatalogueEntry | None = None
    ) -> bool:
        """Allow no deletion of what code registers: it would come back at once."""
        lasting = obj is not None and obj.is_from_code and obj.missing_since is None
        return not lasting and super().has_delete_permission(request, obj)

    # One entry.

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Ask for the kind of what is to be made, then for what it consists of."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.GET.get("source", "") in entry_kinds():
            return super().add_view(request, form_url, extra_context)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Add an entry"),
            "kinds": list(entry_kinds().values()),
        }
        return render(request, "tools_app/catalogue_add.html", context)

    def get_form(
        self,
        request: HttpRequest,
        obj: CatalogueEntry | None = None,
        change: bool = False,
        **options: Any,
    ) -> Any:
        form = form_for(obj or _new(request))
        form.administrator = request.user
        return super().get_form(request, obj, change, **{**options, "form": form})

    def get_fieldsets(
        self, request: HttpRequest, obj: CatalogueEntry | None = None
    ) -> Any:
        known = [
            (_("What clients are shown"), {"fields": _SHOWN, "classes": ["collapse"]}),
            (_("Record"), {"fields": _RECORD}),
        ]
        if obj is not None and not self.has_change_permission(request, obj):
            named = ("key", "enabled", *OVERRIDES)
            return [(None, {"fields": named}), *known]
        row = obj or _new(request)
        fieldsets = _fieldsets(row, form_for(row))
        return fieldsets if obj is None else [*fieldsets, *known]

    def get_readonly_fields(
        self, request: HttpRequest, obj: CatalogueEntry | None = None
    ) -> tuple[str, ...]:
        if obj is None:
            return ()
        # What code names, code renames.
        known = (*_SHOWN, *_RECORD)
        return ("key", *known) if obj.is_from_code else known

    @admin.display(description=_("as JSON"))
    def preview(self, row: CatalogueEntry) -> str:
        try:
            shown = entry_of(row).to_json()
        except ValueError as error:
            return gettext("Nothing: %s") % error
        text = json.dumps(shown, indent=2, ensure_ascii=False)
        return format_html('<pre class="mcp-preview">{}</pre>', text)

    def save_model(
        self, request: HttpRequest, obj: CatalogueEntry, form: Any, change: bool
    ) -> None:
        """Save what is steered alone: what the code says may have changed since."""
        obj.save(update_fields=STEERED if change else None)
        if obj.permission and not _is_permission(obj.permission):
            text = gettext(
                'There is no permission "%s": only superusers have what does not exist.'
            )
            self.message_user(request, text % obj.permission, messages.WARNING)


def _new(request: HttpRequest) -> CatalogueEntry:
    """Return an entry of the kind that is to be made."""
    kind = entry_kinds()[request.GET["source"]]
    return CatalogueEntry(kind=kind.makes, source=kind.name)


def _fieldsets(row: CatalogueEntry, form: type[EntryForm]) -> list[Any]:
    def lines(*names: str) -> list[str | tuple[str, str]]:
        """Put beside each field what resets it, where there is something to reset."""
        return [
            (name, RESET + name) if RESET + name in form.base_fields else name
            for name in names
        ]

    bounds = ("permission", "scope", *(OF_TOOLS if row.kind == "tools" else ()))
    texts = ("title", "description", *fields_of(form, ARGUMENT))
    fieldsets: list[Any] = [
        (None, {"fields": ["key", "enabled", "visibility"]}),
        (_("What models read"), {"fields": lines(*texts)}),
        (_("Who may use it, and how much"), {"fields": lines(*bounds)}),
        (
            _("Tags and annotations"),
            {"fields": lines("tags", *fields_of(form, ANNOTATION))},
        ),
    ]
    spec = fields_of(form, f"{SPEC}-")
    if spec:
        label = capfirst(str(entry_kinds()[row.source].label))
        fieldsets.insert(1, (label, {"fields": spec}))
    return fieldsets


def _is_permission(permission: str) -> bool:
    app_label, _dot, codename = permission.partition(".")
    return Permission.objects.filter(
        content_type__app_label=app_label, codename=codename
    ).exists()
