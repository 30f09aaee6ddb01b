"""Streamable HTTP for the inspector: by the login of the admin, not by a token.

Each request names in the header ``X-Run-As`` whom it is made as. Who may is looked
at with each, and for as long as a stream is open.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from asgiref.sync import sync_to_async
from django.contrib.admin import ModelAdmin
from django.contrib.auth import get_user
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from mcp_transport.conf import get_conf
from mcp_transport.connections import closing_old_connections
from mcp_transport.endpoint import get_unguarded
from mcp_transport.engine.caller import Caller
from mcp_transport.engine.threads import Threads
from mcp_transport.middleware import View
from mcp_transport.protocol.errors import ProtocolError
from mcp_transport.protocol.http import NAMED
from mcp_transport.protocol.messages import Message, Request, parse
from mcp_transport.transports.replies import refusal
from mcp_transport.transports.requests import Refused, posted, wire_headers
from tools_app.inspector.target import Target, find, run_as, why_not

RUN_AS_HEADER: Final = "X-Run-As"
MAX_NAME_CHARS: Final = 255
# They look at the credentials of open streams, every few seconds.
THREADS: Final = 2

if TYPE_CHECKING:
    Admin = ModelAdmin[Any]


def inspector_endpoint(admin: Admin) -> View:
    """Return the endpoint of the inspector that ``admin`` shows.

    Why it refuses it says as JSON: whoever calls is a script, which no login page
    and no page about CSRF would help. So it looks at both itself.
    """

    @csrf_exempt
    async def endpoint(request: HttpRequest) -> HttpResponseBase:
        try:
            caller = await sync_to_async(_let_in)(admin, request)
        except Refused as error:
            return refusal(error.status, error.reason)
        request.mcp_caller = caller  # type: ignore[attr-defined]
        request.mcp_credential = RunAs(admin, request)  # type: ignore[attr-defined]
        return await get_unguarded()(request)

    # django.contrib.auth.middleware.LoginRequiredMiddleware looks for this.
    endpoint.login_required = False  # type: ignore[attr-defined]
    return endpoint


class RunAs:
    """The login of an administrator, as a Credential for whom it runs as.

    It holds for as long as the login does, and as whom it runs may be run as.
    """

    def __init__(self, admin: Admin, request: HttpRequest) -> None:
        self._admin = admin
        self._request = request

    async def caller(self) -> Caller | None:
        return await _threads()(self._caller)

    def _caller(self) -> Caller | None:
        # As it is now: the request keeps the user that it came with.
        request = copy.copy(self._request)
        session = self._request.session
        request.session = type(session)(session.session_key)
        request.user = get_user(request)
        try:
            _check_login(self._admin, request)
            return run_as(request.user, _target(request))
        except Refused:
            return None


class _Csrf(CsrfViewMiddleware):
    """Tells why it would refuse a request, instead of answering it."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def _let_in(admin: Admin, request: HttpRequest) -> Caller:
    """Return whom a request is made as, and note in the history what it runs.

    Raises Refused.
    """
    _check_login(admin, request)
    _check_csrf(request)
    target = _target(request)
    for message in _messages(request):
        said = _run(message, target)
        if said is not None:
            admin.log_change(request, target.row, said)
    return run_as(request.user, target)


def _check_login(admin: Admin, request: HttpRequest) -> None:
    """Raises Refused."""
    if not admin.admin_site.has_permission(request):
        raise Refused(401, _("You are not logged in to the admin any more."))
    if not admin.has_view_permission(request):
        raise Refused(403, _("You may not run as others."))


def _check_csrf(request: HttpRequest) -> None:
    """Raises Refused."""
    check = _Csrf(lambda request: HttpResponse())
    check.process_request(request)
    # Another view than ours, which is exempt from being checked by the site.
    reason: Any = check.process_view(request, refusal, (), {})
    if reason is not None:
        # Most often the page is older than the login.
        said = _("CSRF verification failed (%(reason)s). Load the page again.")
        raise Refused(403, said % {"reason": reason})


def _target(request: HttpRequest) -> Target:
    """Return whom a request is to be made as, if its user may. Raises Refused."""
    try:
        target = find(request.headers.get(RUN_AS_HEADER, ""))
    except ValueError as error:
        raise Refused(400, f"{RUN_AS_HEADER}: {error}") from None
    if target is None:
        raise Refused(403, _("There is no such token or user."))
    reason = why_not(request.user, target)
    if reason is not None:
        raise Refused(403, reason)
    return target


def _messages(request: HttpRequest) -> Sequence[Message | ProtocolError]:
    """Return the messages of a request; none of one that will be refused.

    Raises Refused.
    """
    if request.method != "POST":
        return ()
    headers = wire_headers(request)
    max_bytes = get_conf().limits.max_body_bytes
    try:
        parsed = parse(posted(request, max_bytes, headers.get("accept", "*/*")))
    except ProtocolError:
        return ()
    return parsed if isinstance(parsed, tuple) else (parsed,)


def _run(message: Message | ProtocolError, target: Target) -> str | None:
    """Say what a message runs, for the history of ``target``; None if nothing."""
    said = {
        "tools/call": _("Ran the tool %(name)s as %(target)s."),
        "resources/read": _("Read the resource %(name)s as %(target)s."),
        "prompts/get": _("Got the prompt %(name)s as %(target)s."),
    }
    if not isinstance(message, Request) or message.method not in said:
        return None
    name = str(message.params.get(NAMED[message.method]))[:MAX_NAME_CHARS]
    return said[message.method] % {"name": name, "target": target}


@cache
def _threads() -> Threads:
    return Threads(THREADS, closing_old_connections)
