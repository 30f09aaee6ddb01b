"""The console: a page that connects to the endpoint as any client does.

In a project's urls::

    path("console/", Console.as_view(), name="console")

The page itself holds no rights: whoever opens it brings a token.
"""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, get_script_prefix, reverse
from django.utils.cache import add_never_cache_headers
from django.utils.functional import Promise
from django.views.generic import TemplateView

from mcp_transport.conf import get_conf
from mcp_transport.protocol.peer import LEVELS
from mcp_transport.protocol.revisions import REVISIONS

# By transport: what people call it, and where it is beside the endpoint.
DOORS: Final = {
    "streamable-http": ("Streamable HTTP", ""),
    "sse": ("HTTP+SSE", "sse"),
    "websocket": ("WebSocket", "ws"),
}


class Console(TemplateView):
    """Serves the console.

    ``endpoint`` is the path of the endpoint, if neither the project's urls nor
    ``mount()`` have it at ``/mcp``. ``tickets_url`` is where a user who is logged
    in to the site gets tickets for a WebSocket, such as
    ``reverse_lazy("api:tickets")``; without it there are none.
    """

    template_name = "mcp_transport/console.html"
    http_method_names = ["get", "head", "options"]
    endpoint: str | Promise | None = None
    tickets_url: str | Promise | None = None

    # It connects to any server that its user names, and shows what that one sends.
    content_security_policy = "; ".join(
        (
            "default-src 'self'",
            "connect-src 'self' http: https: ws: wss:",
            "img-src 'self' data:",
            "media-src 'self' data:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )

    def dispatch(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        response["Content-Security-Policy"] = self.content_security_policy
        if self.tickets_url is not None:
            # Who is logged in is on the page, and a token against forgery.
            add_never_cache_headers(response)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        conf = get_conf()
        context = {
            "title": conf.title or conf.name,
            "doors": [
                {"name": name, "label": label, "path": self._path(beside)}
                for name, (label, beside) in DOORS.items()
                if name in conf.transports
            ],
            "revisions": list(REVISIONS.values())[::-1],
            "log_levels": LEVELS,
            "login": self._login(),
            "tickets_url": self.tickets_url,
        }
        return super().get_context_data(**kwargs) | context

    def _path(self, beside: str) -> str:
        """Return the path of a door, where ``mount()`` puts it too."""
        endpoint = str(self.endpoint) if self.endpoint else _endpoint()
        return f"{endpoint.rpartition('/')[0]}/{beside}" if beside else endpoint

    def _login(self) -> str:
        """Return the name of the user who may ask for tickets; empty for nobody."""
        user = getattr(self.request, "user", None)
        if self.tickets_url is None or user is None or not user.is_authenticated:
            return ""
        return str(user.get_username())


def _endpoint() -> str:
    try:
        return reverse("mcp_transport:endpoint")
    except NoReverseMatch:
        return f"{get_script_prefix()}mcp"
