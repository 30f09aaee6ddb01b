"""CORS for browser clients, by django-cors-headers.

``MCP["MIDDLEWARE"] = ["mcp_transport.cors.CorsMiddleware"]`` is all that it needs:
the origins are those that may call, the headers and methods those of the protocol.
The site's own ``CORS_`` settings stay what they are for the rest of the site.
"""

from __future__ import annotations

from corsheaders import middleware as corsheaders
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from mcp_transport.guards.cors import ALLOW_METHODS, EXPOSE_HEADERS, allowed_headers
from mcp_transport.transports.admission import page_allowed
from mcp_transport.transports.requests import wire_headers


class CorsMiddleware(corsheaders.CorsMiddleware):
    """Answers preflights, and tells a browser what its page may send and read.

    Each request that comes here is one of the endpoint's.
    """

    sync_capable = False

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        origin = wire_headers(request).get("origin")
        allowed = origin is not None and await page_allowed(origin)
        request._mcp_page_allowed = allowed  # type: ignore[attr-defined]
        return await super().__acall__(request)

    def is_enabled(self, request: HttpRequest) -> bool:
        return self.check_signal(request)

    def check_signal(self, request: HttpRequest) -> bool:
        allowed: bool = request._mcp_page_allowed  # type: ignore[attr-defined]
        return allowed

    def add_response_headers(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        response = super().add_response_headers(request, response)
        if not self.is_enabled(request):
            return response
        sent = wire_headers(request)
        # Never "*", whatever the site allows elsewhere.
        response[corsheaders.ACCESS_CONTROL_ALLOW_ORIGIN] = sent["origin"]
        response[corsheaders.ACCESS_CONTROL_EXPOSE_HEADERS] = ", ".join(EXPOSE_HEADERS)
        if request.method == "OPTIONS":
            headers = allowed_headers(sent.get("access-control-request-headers", ""))
            response[corsheaders.ACCESS_CONTROL_ALLOW_HEADERS] = ", ".join(headers)
            response[corsheaders.ACCESS_CONTROL_ALLOW_METHODS] = ", ".join(
                ALLOW_METHODS
            )
        return response
