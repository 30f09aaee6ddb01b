"""The view that does nothing: what Django's own handler and middleware cost."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from bench.project.bare import REPLY


@csrf_exempt
async def bare(request: HttpRequest) -> HttpResponse:
    """Read a request's body and answer with two hundred bytes."""
    request.read()
    return HttpResponse(
        REPLY,
        content_type="application/json",
        headers={"Content-Length": str(len(REPLY))},
    )
