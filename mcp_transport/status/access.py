"""Who may read what the server has counted: whoever knows ``MCP["METRICS_TOKEN"]``."""

from __future__ import annotations

import hmac

from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_variables

from mcp_transport.conf import get_conf
from mcp_transport.guards.bearer import MalformedCredentials, challenge, credentials
from mcp_transport.transports.requests import authorization

REALM = "metrics"


@sensitive_variables()
def may_read(request: HttpRequest) -> bool:
    """Tell whether a request carries the token. Without one nobody may."""
    wanted = get_conf().metrics_token
    try:
        token = credentials(authorization(request))
    except MalformedCredentials:
        return False
    if wanted is None or token is None:
        return False
    return hmac.compare_digest(token.encode(), wanted.encode())


def refusal() -> HttpResponse:
    """Refuse to tell. Who runs the server is told what is missing, by anybody's
    request: it is no secret that there is a switch.
    """
    if get_conf().metrics_token is None:
        said = 'Not configured: set MCP["METRICS_TOKEN"].\n'
        return HttpResponse(said, status=403, content_type="text/plain")
    return HttpResponse(
        "A bearer token is needed.\n",
        status=401,
        content_type="text/plain",
        headers={"WWW-Authenticate": challenge(realm=REALM)},
    )
