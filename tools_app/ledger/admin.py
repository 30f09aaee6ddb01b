"""The ledger in the admin: to look for calls, to look into one, to export them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tools_app.ledger.export import exported
from tools_app.ledger.listing import (
    MAX_LISTED,
    CappedPaginator,
    DayFilter,
    DoorFilter,
    MethodFilter,
    RevisionFilter,
    TokenFilter,
)
from tools_app.models import Call, CatalogueEntry

ERROR_CHARS = 80

# What each method calls, as the catalogue has it.
_KINDS = {
    "tools/call": "tools",
    "resources/read": "resources",
    "prompts/get": "prompts",
}


@admin.register(Call)
class CallAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    change_list_template = "tools_app/call_change_list.html"
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 500
    actions = None
    list_display = [
        "began",
        "outcome",
        "name",
        "took",
        "who",
        "used_token",
        "failure",
        "client",
        "door",
    ]
    list_select_related = ["user", "token"]
    list_filter = [
        DayFilter,
        "outcome",
        MethodFilter,
        DoorFilter,
        RevisionFilter,
        TokenFilter,
    ]
    # Those that have an index, or are looked for where it matters little.
    sortable_by = ["began", "took"]
    search_fields = ["name", "subject", "error", "actor", "trace_id__exact"]
    search_help_text = _("Names, callers, errors, who ran it, or the id of a trace.")
    fieldsets = [
        (None, {"fields": ["began", "outcome", "error_code", "error", "took"]}),
        (_("What was called"), {"fields": ["method", "entry", "given", "change"]}),
        (
            _("Who called"),
            {"fields": ["subject", "caller", "credential", "actor", "client"]},
        ),
        (
            _("How"),
            {"fields": ["door", "revision", "session", "trace", "sent_bytes"]},
        ),
    ]

    class Media:
        css = {"all": ["tools_app/calls.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Call | None = None
    ) -> bool:
        return False

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm(
            "tools_app.export_call"
        )

    @admin.display(description=_("time"), ordering="at")
    def began(self, call: Call) -> str:
        return f"{timezone.localtime(call.at):%Y-%m-%d %H:%M:%S}"

    @admin.display(description=_("caller"), ordering="user")
    def who(self, call: Call) -> str:
        name = str(call.user or call.subject)
        if not call.actor:
            return name
        return gettext("%(user)s, run by %(actor)s") % {
            "user": name,
            "actor": call.actor,
        }

    @admin.display(description=_("token"), empty_value="-")
    def used_token(self, call: Call) -> str | None:
        return None if call.token is None else call.token.name

    @admin.display(description=_("duration"), ordering="duration_ms")
    def took(self, call: Call) -> str:
        return gettext("%(ms)s ms") % {"ms": f"{call.duration_ms:,.1f}"}

    @admin.display(description=_("error"), empty_value="")
    def failure(self, call: Call) -> str:
        cut = call.error[:ERROR_CHARS]
        return cut if cut == call.error else f"{cut}…"

    @admin.display(description=_("arguments"))
    def given(self, call: Call) -> str:
        text = json.dumps(call.arguments, indent=2, ensure_ascii=False)
        return format_html('<pre class="mcp-arguments">{}</pre>', text)

    @admin.display(description=_("name"))
    def entry(self, call: Call) -> str:
        """Link to the entry of the catalogue, and to the other calls of it."""
        kind = _KINDS.get(call.method, "")
        found = CatalogueEntry.objects.filter(kind=kind, key=call.name).first()
        name = _linked(self._page_of(found), call.name)
        others = _linked(self._list(name__exact=call.name), gettext("all its calls"))
        return format_html("{} ({})", name, others)

    @admin.display(description=_("user"))
    def caller(self, call: Call) -> str:
        return _linked(self._page_of(call.user), str(call.user or "-"))

    @admin.display(description=_("token"))
    def credential(self, call: Call) -> str:
        return _linked(self._page_of(call.token), str(call.token or "-"))

    @admin.display(description=_("session"))
    def session(self, call: Call) -> str:
        return self._others("session_id", call.session_id)

    @admin.display(description=_("trace"))
    def trace(self, call: Call) -> str:
        return self._others("trace_id", call.trace_id)

    @admin.display(description=_("changed"))
    def change(self, call: Call) -> str:
        """Link to the history of what the call has changed."""
        if call.log_entry is None:
            return "-"
        entries = LogEntry.objects.select_related("content_type")
        entry = entries.filter(pk=call.log_entry).first()
        if entry is None:
            return gettext("an entry of the history that was deleted")
        said = f"{entry.object_repr}: {entry.get_change_message()}"
        if entry.content_type is None:
            return said
        page = "_".join(entry.content_type.natural_key())
        return _linked(self._reversed(f"{page}_history", entry.object_id), said)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        export = path("export/", view, name="tools_app_call_export")
        return [export, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        chosen = request.GET.copy()
        chosen.pop(PAGE_VAR, None)
        more = {
            "export_query": chosen.urlencode(),
            "has_export_permission": self.has_export_permission(request),
            "max_listed": MAX_LISTED,
        }
        return super().changelist_view(request, {**more, **(extra_context or {})})

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with the calls that the list would show, all of them, as CSV."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        try:
            listed: ChangeList = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(self._list(e="1"))
        return exported(listed.get_queryset(request), request)

    def _others(self, field: str, value: str) -> str:
        """Link to the calls that have the same value; "-" for none."""
        return (
            _linked(self._list(**{f"{field}__exact": value}), value) if value else "-"
        )

    def _list(self, **filters: str) -> str:
        return f"{self._reversed('tools_app_call_changelist')}?{urlencode(filters)}"

    def _page_of(self, found: Model | None) -> str:
        """Return where the admin has a row; "" where it has none of its kind."""
        if found is None:
            return ""
        return self._reversed(
            f"{found._meta.label_lower.replace('.', '_')}_change", found.pk
        )

    def _reversed(self, page: str, *arguments: Any) -> str:
        """Return the URL of a page of this admin; "" where it has no such page."""
        quoted = [quote(argument) for argument in arguments]
        name = f"admin:{page}"
        try:
            return reverse(name, args=quoted, current_app=self.admin_site.name)
        except NoReverseMatch:
            return ""


def _linked(url: str, text: str) -> str:
    return format_html('<a href="{}">{}</a>', url, text) if url else text
