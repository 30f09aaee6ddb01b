"""The guards of the endpoint, as async Django middleware.

They stand around the view itself, so that they hold under every mount and in
whatever order a project has its own middleware. What stands in
``MCP["MIDDLEWARE"]`` is put around them.

Spec: 2026-07-28 basic/transports/streamable-http #security, basic/authorization.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import ImproperlyConfigured, MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string
from django.views.decorators.debug import sensitive_variables

from mcp_transport.conf import get_conf
from mcp_transport.engine.caller import Credential
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.guards.bearer import (
    REALM,
    MalformedCredentials,
    challenge,
    credentials,
)
from mcp_transport.protocol.errors import TooManyRequests
from mcp_transport.transports.admission import (
    NOBODY,
    Bearer,
    address_behind,
    admit,
    may_be_anonymous,
    why_foreign,
)
from mcp_transport.transports.replies import refusal, told_by_headers, unavailable
from mcp_transport.transports.requests import (
    authorization,
    peer_address,
    wire_headers,
)

View = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


class AsyncMiddleware:
    """One link of the chain: ``get_response`` is the next one."""

    sync_capable = False
    async_capable = True

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return await self.get_response(request)


class OriginMiddleware(AsyncMiddleware):
    """Refuses a Host that is not ours and an Origin that is not allowed."""

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        foreign = await why_foreign(wire_headers(request))
        if foreign is not None:
            return refusal(403, foreign)
        return await self.get_response(request)


class BearerMiddleware(AsyncMiddleware):
    """Finds out who calls, and keeps it on the request as ``mcp_caller``.

    Nobody is let in unless an authenticator knows the token, or anonymous
    access is configured and the request comes from this very machine.
    OPTIONS, which a browser sends without credentials, grants nothing.
    """

    @sensitive_variables()
    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            token = credentials(authorization(request))
        except MalformedCredentials as error:
            return _challenged(400, str(error), "invalid_request")
        headers, peer = wire_headers(request), peer_address(request)
        address = address_behind(peer, headers)
        credential: Credential
        if token is not None:
            credential = Bearer(token, address)
        elif may_be_anonymous(peer, address, headers.get("host")):
            credential = NOBODY
        elif request.method == "OPTIONS":
            return await self.get_response(request)
        else:
            return _challenged(401, "a bearer token is needed", None)
        try:
            caller = await admit(credential, address)
        except TooManyRequests as error:
            return refusal(429, error.message, told_by_headers(error))
        except StoreUnavailable:
            return unavailable("nobody can be let in at the moment")
        if caller is None:
            return _challenged(401, "the token is not valid", "invalid_token")
        request.mcp_caller = caller  # type: ignore[attr-defined]
        request.mcp_credential = credential  # type: ignore[attr-defined]
        return await self.get_response(request)


def _challenged(status: int, reason: str, error: str | None) -> HttpResponseBase:
    # The description's grammar has no double quotes. RFC 6750 section 3.
    quoted = reason.replace('"', "'")
    said = challenge(
        realm=REALM,
        resource_metadata=get_conf().metadata_url,
        error=error,
        description=quoted if error else None,
    )
    return refusal(status, reason, {"WWW-Authenticate": said})


GUARDS: tuple[type[AsyncMiddleware], ...] = (OriginMiddleware, BearerMiddleware)


def guarded(view: View) -> View:
    """Put the guards, and the project's own middleware, around ``view``.

    Raises ImproperlyConfigured for middleware that is not async.
    """
    for guard in reversed(GUARDS):
        view = guard(view)
    for path in reversed(get_conf().middleware):
        try:
            middleware = import_string(path)
        except ImportError as error:
            raise ImproperlyConfigured(
                f'MCP["MIDDLEWARE"] names {path!r}, which cannot be imported'
            ) from error
        try:
            view = middleware(view)
        except MiddlewareNotUsed:
            continue
        if not iscoroutinefunction(view):
            raise ImproperlyConfigured(
                f'{path} in MCP["MIDDLEWARE"] is not async: make it async, and mark '
                "it with asgiref.sync.markcoroutinefunction; a sync one would need "
                "a thread for every open stream"
            )
    return view
