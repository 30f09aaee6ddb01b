"""The document by which clients find the authorization servers (RFC 9728)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse

from mcp_transport.conf import get_conf
from mcp_transport.protocol.resource_metadata import WELL_KNOWN, metadata, metadata_path

MAX_AGE_S = 3600


async def protected_resource(request: HttpRequest, resource: str = "") -> HttpResponse:
    """Describe the endpoint, by the path with its own behind it or by the bare one.
    It is for everybody, and for pages of every origin: it grants nothing.
    """
    conf = get_conf()
    known = {WELL_KNOWN, metadata_path(conf.resource_url)}
    if not conf.authorization_servers or _asked(resource) not in known:
        raise Http404("there is no such resource, or nobody who issues tokens for it")
    if request.method not in ("GET", "HEAD"):
        return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
    return JsonResponse(
        metadata(conf.resource_url, conf.authorization_servers),
        headers={
            "Access-Control-Allow-Origin": "*",
            "Cache-Control": f"public, max-age={MAX_AGE_S}",
        },
    )


def _asked(resource: str) -> str:
    return f"{WELL_KNOWN}/{resource}".rstrip("/")


# django.contrib.auth.middleware.LoginRequiredMiddleware looks for this.
protected_resource.login_required = False  # type: ignore[attr-defined]
