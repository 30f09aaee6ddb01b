"""The inspector in the admin: its page, whom it offers to run as, its endpoint."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import HttpHeaders
from django.shortcuts import render
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.translation import gettext

from mcp_transport.conf import get_conf
from mcp_transport.protocol.peer import LEVELS
from tools_app.inspector.endpoint import RUN_AS_HEADER, inspector_endpoint
from tools_app.inspector.forms import RunAsForm
from tools_app.inspector.offer import offered
from tools_app.inspector.target import Target
from tools_app.models import Inspector
from tools_app.page_admin import PageAdmin

# Where ``mcp_transport.asgi.mount`` has it unless told otherwise.
MOUNTED_AT = "/mcp"


@admin.register(Inspector)
class InspectorAdmin(PageAdmin):
    may_view = "tools_app.run_as"

    def get_urls(self) -> list[URLPattern]:
        """There are no rows, and so no pages of rows. Both spellings of the endpoint
        are routed, because a redirect would turn a POST into a GET.
        """
        wrap = self.admin_site.admin_view
        endpoint: Any = inspector_endpoint(self)
        return [
            path("", wrap(self.page_view), name="tools_app_inspector_changelist"),
            path("offer/", wrap(self.offer_view), name="tools_app_inspector_offer"),
            path("mcp", endpoint, name="tools_app_inspector_mcp"),
            path("mcp/", endpoint),
        ]

    def page_view(self, request: HttpRequest) -> HttpResponse:
        """Ask whom to run as; then show what there is for that caller.

        The query names the caller in ``run_as``, and may name an entry to open, by
        ``kind`` (tools, resources, templates or prompts) and ``key``.
        """
        self._check_permission(request)
        asked = request.GET if "run_as" in request.GET else None
        form = RunAsForm(self.admin_site, request.user, asked)
        target = form.cleaned_data["run_as"] if form.is_valid() else None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Inspector"),
            "form": form,
            "media": self.media + form.media,
            "kind": request.GET.get("kind", ""),
            "key": request.GET.get("key", ""),
        }
        if target is not None:
            context |= self._of_target(request, target)
        return render(request, "tools_app/inspector.html", context)

    def offer_view(self, request: HttpRequest) -> JsonResponse:
        """Return a page of those to run as, in the form that Select2 wants."""
        self._check_permission(request)
        try:
            page = max(1, int(request.GET.get("page", "1")))
        except ValueError:
            page = 1
        found, more = offered(request.GET.get("term", ""), page)
        results = [_option(target) for target in found]
        return JsonResponse({"results": results, "pagination": {"more": more}})

    def _check_permission(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _of_target(self, request: HttpRequest, target: Target) -> dict[str, Any]:
        """Return what the page needs to call as ``target``."""
        caller = target.caller()
        return {
            "target": target,
            "caller": caller,
            "scopes": sorted(caller.scopes),
            "tools": sorted(caller.tools or ()),
            "permissions": sorted(caller.permissions),
            "log_levels": LEVELS,
            "endpoint": _endpoint_url(request),
            "inspector_url": reverse(
                "admin:tools_app_inspector_mcp", current_app=self.admin_site.name
            ),
            "run_as_header": RUN_AS_HEADER,
            "csrf_header": HttpHeaders.parse_header_name(settings.CSRF_HEADER_NAME),
        }


def _option(target: Target) -> dict[str, Any]:
    """Return a choice; what is refused whoever asks cannot be chosen."""
    nobody = target.why_nobody()
    text = target.label if nobody is None else f"{target.label}: {nobody}"
    return {"id": target.name, "text": text, "disabled": nobody is not None}


def _endpoint_url(request: HttpRequest) -> str:
    """Return the URL of the endpoint that clients call, as far as it is known."""
    told = get_conf().resource_url
    if told:
        return told
    try:
        return request.build_absolute_uri(reverse("mcp_transport:endpoint"))
    except NoReverseMatch:
        return request.build_absolute_uri(MOUNTED_AT)
