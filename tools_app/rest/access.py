"""Who is served at /api/: bearers of tokens, and users who are logged in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    Throttled,
)
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.guards.bearer import (
    REALM,
    MalformedCredentials,
    challenge,
    credentials,
)
from mcp_transport.protocol.errors import TooManyRequests
from mcp_transport.transports.admission import Bearer, address_behind, admit
from mcp_transport.transports.requests import (
    authorization,
    peer_address,
    wire_headers,
)
from tools_app.tickets import OfToken, for_token


@dataclass(frozen=True, slots=True)
class Known:
    """Who sent a token that grants something, as ``request.auth``.

    ``kept`` is what may be kept of the token; None for one that an authenticator
    other than ours knows.
    """

    caller: Caller
    kept: OfToken | None


class Unavailable(APIException):
    """Attempts cannot be counted at the moment, so nobody is let in."""

    status_code = 503
    default_detail = "Nobody can be let in at the moment."


class BearerAuthentication(BaseAuthentication):
    """Lets in whom the authenticators of the MCP endpoint know, by its rules: where
    a token may be used from, and how often an address may fail.
    """

    @sensitive_variables()
    def authenticate(self, request: Request) -> tuple[Any, Known] | None:
        asked = request._request
        try:
            token = credentials(authorization(asked))
        except MalformedCredentials as error:
            raise AuthenticationFailed(str(error)) from None
        if token is None:
            return None
        address = address_behind(peer_address(asked), wire_headers(asked))
        try:
            caller = async_to_sync(admit)(Bearer(token, address), address)
        except TooManyRequests as error:
            raise Throttled(error.retry_after_s) from None
        except StoreUnavailable:
            raise Unavailable from None
        if caller is None:
            raise AuthenticationFailed("The token is not valid.")
        return caller.user or AnonymousUser(), Known(caller, for_token(token))

    def authenticate_header(self, request: Request) -> str:
        sent = authorization(request._request) is not None
        return challenge(realm=REALM, error="invalid_token" if sent else None)


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema describes ``BearerAuthentication``."""

    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


# Who is served unless a view says otherwise: staff, logged in.
ACCESS: dict[str, Any] = {
    "authentication_classes": [SessionAuthentication],
    "permission_classes": [IsAdminUser],
}


class PrivateView(APIView):
    """A view for users who are logged in, whose replies no cache may keep.

    What it needs it says itself, whatever the project's defaults are.
    """

    authentication_classes = ACCESS["authentication_classes"]
    permission_classes = ACCESS["permission_classes"]

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers["Cache-Control"] = "no-store"
        return final


class Pages(PageNumberPagination):
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1000
