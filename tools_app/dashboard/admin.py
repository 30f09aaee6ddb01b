"""The dashboard in the admin: its page, the part that is live, and what ends."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from mcp_transport import presence
from mcp_transport.presence import StoreUnavailable
from tools_app.call import Call
from tools_app.dashboard.choice import Choice
from tools_app.dashboard.connected import connected
from tools_app.dashboard.forms import SESSION, EndForm
from tools_app.dashboard.page import figures
from tools_app.models import Dashboard, Token
from tools_app.page_admin import PageAdmin

MAY_END = "tools_app.end_session"


@admin.register(Dashboard)
class DashboardAdmin(PageAdmin):
    may_view = "tools_app.view_dashboard"

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Who ends something has seen it."""
        return self.has_view_permission(request) and request.user.has_perm(MAY_END)

    def get_urls(self) -> list[URLPattern]:
        """There are no rows, and so no pages of rows."""
        wrap = self.admin_site.admin_view
        return [
            path(
                "",
                wrap(require_GET(self.page_view)),
                name="tools_app_dashboard_changelist",
            ),
            path(
                "live/",
                wrap(require_GET(self.live_view)),
                name="tools_app_dashboard_live",
            ),
            path(
                "end/",
                wrap(require_POST(self.end_view)),
                name="tools_app_dashboard_end",
            ),
        ]

    def page_view(self, request: HttpRequest) -> HttpResponse:
        """Show everything. The query names a period, and perhaps a tool or a token."""
        choice = self._choice(request)
        context = {
            **self.admin_site.each_context(request),
            **figures(choice),
            **self._live(request, choice),
            "opts": self.opts,
            "title": gettext("Dashboard"),
        }
        return render(request, "tools_app/dashboard/page.html", context)

    def live_view(self, request: HttpRequest) -> HttpResponse:
        """Show who is connected: the part of the page that its script asks for."""
        context = self._live(request, self._choice(request))
        return render(request, "tools_app/dashboard/live.html", context)

    def end_view(self, request: HttpRequest) -> HttpResponse:
        """End a session or a stream, by its handle, and go back to the page."""
        if not self.has_end_permission(request):
            raise PermissionDenied
        form = EndForm(request.POST)
        if form.is_valid():
            self._end(request, form.cleaned_data["kind"], form.cleaned_data["handle"])
        else:
            text = gettext("It could not be told what to end.")
            self.message_user(request, text, messages.ERROR)
        page = reverse(
            "admin:tools_app_dashboard_changelist", current_app=self.admin_site.name
        )
        return HttpResponseRedirect(page + Choice.of(request.POST).query)

    def _end(self, request: HttpRequest, kind: str, handle: str) -> None:
        end = presence.end_session if kind == SESSION else presence.end_stream
        try:
            ended = async_to_sync(end)(handle)
        except StoreUnavailable:
            text = gettext("Sessions cannot be reached at the moment.")
            self.message_user(request, text, messages.ERROR)
            return
        if not ended:
            text = gettext("It had ended before.")
            self.message_user(request, text, messages.WARNING)
            return
        named = gettext("session %s") if kind == SESSION else gettext("stream %s")
        self._log_end(request, handle, named % handle)
        text = gettext("Ended: %s.") % (named % handle)
        self.message_user(request, text, messages.SUCCESS)

    def _log_end(self, request: HttpRequest, handle: str, named: str) -> None:
        LogEntry.objects.create(
            user=request.user,  # type: ignore[misc]
            content_type=ContentType.objects.get_for_model(
                Dashboard, for_concrete_model=False
            ),
            object_id=handle,
            object_repr=named,
            action_flag=DELETION,
            change_message=gettext("Ended."),
        )

    def _choice(self, request: HttpRequest) -> Choice:
        if not self.has_view_permission(request):
            raise PermissionDenied
        # Links of templates lead to the site that this admin belongs to.
        request.current_app = self.admin_site.name
        return Choice.of(request.GET)

    def _live(self, request: HttpRequest, choice: Choice) -> dict[str, Any]:
        return {
            **connected(),
            "choice": choice,
            "may_end": self.has_end_permission(request),
            "may_see_tokens": self._may_see(request, Token),
            # The ledger calls a session by its handle too.
            "may_see_calls": self._may_see(request, Call),
        }

    def _may_see(self, request: HttpRequest, model: Any) -> bool:
        site = self.admin_site
        return site.is_registered(model) and site.get_model_admin(
            model
        ).has_view_permission(request)
