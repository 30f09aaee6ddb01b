"""The site's own pages: home, and the documents as they are."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from mcp_transport.conf import get_conf
from mcp_transport.protocol.revisions import REVISIONS
from mcpsite.clients import CREATE_TOKEN, TOKEN, guides
from mcpsite.documents import library


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Say what is served where, and how to connect to this very address."""
    conf = get_conf()
    endpoint = request.build_absolute_uri(reverse("mcp_transport:endpoint"))
    context = {
        "title": conf.title,
        "version": conf.version,
        "endpoint": endpoint,
        "guides": guides(conf.name, endpoint),
        "create_token": CREATE_TOKEN,
        "token": TOKEN,
        "pages": library().pages.values(),
        "revisions": REVISIONS,
    }
    return render(request, "home.html", context)


@require_safe
def document(request: HttpRequest, name: str) -> HttpResponse:
    """Send a page of the documentation as it is written, in Markdown."""
    page = library().pages.get(name)
    if page is None:
        raise Http404
    # Browsers show plain text, and offer text/markdown for download.
    return HttpResponse(page.text, content_type="text/plain; charset=utf-8")
