"""A Django handler with nothing on the way to the view.

Django's own handler gives each request a thread-sensitive context, sends the
request signals and runs the site's middleware: an open stream holds a thread
for its whole life, and a call costs many times what it needs. This one serves
a single async view, which brings the middleware that it wants.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cached_property
from io import BytesIO
from typing import Any

from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from mcp_transport.connections import close_shared_connections
from mcp_transport.engine.eager import Started
from mcp_transport.middleware import View
from mcp_transport.transports.replies import refusal

logger = logging.getLogger("mcp_transport")

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]


class LeanRequest(ASGIRequest):
    """Django's request; what is costly to make is made when it is asked for."""

    def __init__(self, scope: Scope, body: bytes) -> None:
        self.scope = scope
        self.method = scope["method"].upper()
        self.path = scope["path"]
        self.script_name = scope.get("root_path", "")
        self.path_info = self.path.removeprefix(self.script_name)
        self.resolver_match = None
        self._post_parse_error = False
        self._read_started = False
        self._body = body

    @cached_property
    def _whole(self) -> ASGIRequest:
        return ASGIRequest(self.scope, BytesIO())

    @cached_property
    def META(self) -> dict[str, Any]:  # type: ignore[override]
        return self._whole.META

    @cached_property
    def content_type(self) -> str | None:  # type: ignore[override]
        return self._whole.content_type

    @cached_property
    def content_params(self) -> dict[str, str] | None:  # type: ignore[override]
        return self._whole.content_params

    @cached_property
    def _encoding(self) -> str | None:
        return self._whole.encoding

    @cached_property
    def _stream(self) -> BytesIO:  # type: ignore[override]
        return BytesIO(self._body)


class LeanHandler(ASGIHandler):
    """Serves ``view`` to every HTTP request. Raises nothing but cancellation."""

    def __init__(self, get_view: Callable[[], View], max_body_bytes: int) -> None:
        # Not ASGIHandler's own, which loads the site's middleware.
        self._get_view = get_view
        self._max_body_bytes = max_body_bytes

    async def __call__(  # type: ignore[override]
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        body = await self._body(receive)
        if body is None:
            return
        serving = Started(self._serve(LeanRequest(scope, body), send))
        serving.step()
        if not serving.ended:
            await _until_disconnected(serving, receive)

    async def _body(self, receive: Receive) -> bytes | None:
        """Read the request's body; None when the client has gone.

        One byte too many is kept, and tells the view to refuse it.
        """
        event = await receive()
        if event["type"] == "http.request" and not event.get("more_body"):
            return bytes(event.get("body", b""))[: self._max_body_bytes + 1]
        body = bytearray()
        while event["type"] == "http.request":
            if len(body) <= self._max_body_bytes:
                body += event.get("body", b"")
            if not event.get("more_body"):
                return bytes(body[: self._max_body_bytes + 1])
            event = await receive()
        return None

    async def _serve(self, request: LeanRequest, send: Send) -> None:
        try:
            try:
                response = await self._get_view()(request)
            except Exception:
                logger.exception("the endpoint failed")
                response = refusal(500, "internal error")
            try:
                await _send(response, send)
            except Exception:
                logger.exception("a reply could not be sent")
            finally:
                _close(response)
        finally:
            close_shared_connections()


async def _until_disconnected(serving: Started, receive: Receive) -> None:
    """Let ``serving`` run to its end, or cancel it when the client goes."""
    task = asyncio.current_task()
    assert task is not None
    gone = ended = False

    def leave(watching: asyncio.Task[Event]) -> None:
        nonlocal gone
        if watching.cancelled():
            return
        watching.exception()  # an error ends the connection just as well
        # This is a later turn: the task may be at something else already.
        if not ended:
            gone = True
            task.cancel()

    watching = asyncio.get_running_loop().create_task(_received(receive))
    watching.add_done_callback(leave)
    try:
        await serving
    except asyncio.CancelledError:
        # Ours ends here; the server's own goes on to the server.
        if not gone or task.uncancel():
            raise
    finally:
        ended = True
        watching.remove_done_callback(leave)
        watching.cancel()


async def _received(receive: Receive) -> Event:
    return await receive()


def _close(response: HttpResponseBase) -> None:
    """Not response.close(), which would send Django's request_finished."""
    for close in response._resource_closers:  # type: ignore[attr-defined]
        try:
            close()
        except Exception:
            logger.exception("a reply could not be closed")


async def _send(response: HttpResponseBase, send: Send) -> None:
    # What items() gives, which looks each name up again.
    said = response.headers._store
    headers = [
        (name.encode("ascii"), value.encode("latin-1")) for name, value in said.values()
    ]
    for cookie in response.cookies.values():
        headers.append((b"Set-Cookie", cookie.OutputString().encode("ascii")))
    if isinstance(response, StreamingHttpResponse):
        await send(_started(response, headers))
        await _send_stream(response, send)
        return
    assert isinstance(response, HttpResponse)
    body = response.content
    # RFC 9110 section 8.6: with 204 it must not be sent.
    if "content-length" not in said and response.status_code != 204:
        headers.append((b"Content-Length", b"%d" % len(body)))
    await send(_started(response, headers))
    await send({"type": "http.response.body", "body": body})


def _started(
    response: HttpResponseBase, headers: list[tuple[bytes, bytes]]
) -> dict[str, Any]:
    return {
        "type": "http.response.start",
        "status": response.status_code,
        "headers": headers,
    }


async def _send_stream(response: StreamingHttpResponse, send: Send) -> None:
    """Send piece by piece. The iterator is closed here and not by the garbage
    collector, whatever ends the sending.
    """
    pieces: Any = response.streaming_content
    try:
        async for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        await pieces.aclose()
        # Django's wrapper does not close what it wraps.
        closing = getattr(response._iterator, "aclose", None)  # type: ignore[attr-defined]
        if closing is not None:
            await closing()
