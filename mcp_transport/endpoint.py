"""The views that both mounts serve: the guards around each door of HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from typing import Any

from django.core.signals import setting_changed
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from mcp_transport.conf import get_conf, get_server, get_store
from mcp_transport.engine.caller import Caller
from mcp_transport.engine.observing import Observer, tell_refused
from mcp_transport.engine.server import Server
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.middleware import View, guarded
from mcp_transport.protocol.errors import TooManyRequests
from mcp_transport.transports.delivery import get_deliveries
from mcp_transport.transports.open_streams import Full, get_open_streams
from mcp_transport.transports.plain import PlainHTTP
from mcp_transport.transports.replies import (
    EventStream,
    Refusal,
    refusal,
    told_by_headers,
    unavailable,
)
from mcp_transport.transports.sse import HTTPWithSSE
from mcp_transport.transports.streamable import StreamableHTTP
from mcp_transport.wiretap import WireMiddleware

Door = Callable[[HttpRequest, Caller | None], Awaitable[HttpResponseBase]]


def served() -> list[str]:
    """Return the last parts of the paths that the settings switch on."""
    transports = get_conf().transports
    names = ["mcp"] if {"streamable-http", "plain"} & set(transports) else []
    return [*names, "sse", "message"] if "sse" in transports else names


@cache
def get_views() -> Mapping[str, View]:
    """Return the guarded views that are served, by the last part of their paths;
    made of the settings when first asked.
    """
    transports, server, store = get_conf().transports, get_server(), get_store()
    deliveries = get_deliveries()
    streamable = StreamableHTTP(server, store, deliveries)
    plain = PlainHTTP(server, store, deliveries)
    sse = HTTPWithSSE(server, store, deliveries)

    def either(
        request: HttpRequest, caller: Caller | None
    ) -> Awaitable[HttpResponseBase]:
        door = plain if plain.speaks(request) else streamable
        return door(request, caller)

    mcp: Door = either
    if "plain" not in transports:
        mcp = streamable
    elif "streamable-http" not in transports:
        mcp = plain
    doors: dict[str, Door] = {"mcp": mcp, "sse": sse.stream, "message": sse.message}
    return {name: _watched(guarded(_view(doors[name])), server) for name in served()}


def _watched(view: View, server: Server) -> View:
    """Tell the observers whom a view refuses, where there are any; and show what
    comes and goes, where somebody debugs.
    """
    if server.observers:
        view = _telling(view, server.observers)
    return view if server.wire is None else WireMiddleware(view, server.wire)


def _telling(view: View, observers: Sequence[Observer]) -> View:
    async def telling(request: HttpRequest) -> HttpResponseBase:
        try:
            response = await view(request)
        except Exception:
            tell_refused(observers, 500, "internal error")
            raise
        if isinstance(response, Refusal):
            tell_refused(observers, response.status_code, response.reason)
        return response

    return telling


@cache
def get_unguarded() -> View:
    """Return Streamable HTTP without the guards, for a view that has rules of its
    own of who may call: it sets the request's ``mcp_caller`` and ``mcp_credential``.
    """
    return _view(StreamableHTTP(get_server(), get_store(), get_deliveries()))


def _view(door: Door) -> View:
    """Give a door the caller whom the guards found."""

    async def view(request: HttpRequest) -> HttpResponseBase:
        caller: Caller | None = getattr(request, "mcp_caller", None)
        try:
            if request.method == "GET" and caller is not None:
                return await _standing(door, request, caller)
            response = await door(request, caller)
            if isinstance(response, EventStream) and caller is not None:
                credential = request.mcp_credential  # type: ignore[attr-defined]
                return get_open_streams().answering(caller, credential).carry(response)
            return response
        except TooManyRequests as error:
            return refusal(429, error.message, told_by_headers(error))
        except Full:
            return unavailable("as many streams are open as may be")
        except StoreUnavailable:
            return unavailable("sessions cannot be reached at the moment")

    return view


async def _standing(
    door: Door, request: HttpRequest, caller: Caller
) -> HttpResponseBase:
    """Let a door answer where there is room for one more stream.

    Raises TooManyRequests and Full.
    """
    credential = request.mcp_credential  # type: ignore[attr-defined]
    stream = get_open_streams().standing(caller, credential)
    try:
        response = await door(request, caller)
        if isinstance(response, EventStream):
            return stream.carry(response)
    except BaseException:
        stream.close()
        raise
    stream.close()
    return response


def _endpoint(name: str) -> Any:
    """Return a view for a project's urls. A request carries its credential itself,
    never by cookie, so neither CSRF protection nor a login redirect concerns it.
    """

    @csrf_exempt
    async def endpoint(request: HttpRequest) -> HttpResponseBase:
        view = get_views().get(name)
        if view is None:
            raise Http404("this transport is switched off")
        return await view(request)

    # django.contrib.auth.middleware.LoginRequiredMiddleware looks for this.
    endpoint.login_required = False  # type: ignore[attr-defined]
    return endpoint


endpoint = _endpoint("mcp")
sse = _endpoint("sse")
message = _endpoint("message")


def _forget(*, setting: str, **_: Any) -> None:
    if setting in ("MCP", "SECRET_KEY", "SECRET_KEY_FALLBACKS"):
        get_views.cache_clear()
        get_unguarded.cache_clear()


setting_changed.connect(_forget, dispatch_uid="mcp_transport.endpoint")
