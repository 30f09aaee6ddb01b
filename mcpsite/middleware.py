"""What every page of the site passes through. The MCP endpoint does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]

Handler = Callable[[HttpRequest], HttpResponse]

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


def content_security_policy(get_response: Handler) -> Handler:
    """Allow pages nothing but our own scripts, styles and pictures, by default."""

    def add_header(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        # The console has a policy of its own, as it may connect elsewhere.
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        return response

    return add_header


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """Serves static files, each in one piece.

    Under ASGI Django would read a plain stream to its end before sending it,
    and warn at each.
    """

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        stream: FileResponse = WhiteNoiseMiddleware.serve(static_file, request)
        response = HttpResponse(stream.getvalue(), status=stream.status_code)
        response.headers = stream.headers
        stream.close()
        return response
