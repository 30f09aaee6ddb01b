from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from asgiref.sync import SyncToAsync
from django.core.asgi import get_asgi_application
from django.core.signals import request_finished, request_started
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import override_settings
from django.urls import path

from mcp_transport.handler import Event, LeanHandler
from mcp_transport.middleware import View
from tests.rawasgi import ask, http_scope

BOUND_S = 30
LARGEST = 10
DISCONNECT = {"type": "http.disconnect"}


def part(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


class Client:
    """The other end of one request. Puts in what it says, and keeps the reply.

    After ``blocks_at`` events nothing more is taken from the application.
    """

    def __init__(self, *events: dict[str, Any], blocks_at: int | None = None) -> None:
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for event in events:
            self.events.put_nowait(event)
        self.said: list[Event] = []
        self.is_blocked = asyncio.Event()
        self._blocks_at = blocks_at

    async def send(self, event: Event) -> None:
        if len(self.said) == self._blocks_at:
            self.is_blocked.set()
            await asyncio.Event().wait()
        self.said.append(event)

    def goes(self) -> None:
        self.events.put_nowait(DISCONNECT)

    def call(self, view: View, **scope: Any) -> asyncio.Task[None]:
        handler = LeanHandler(lambda: view, LARGEST)
        serving = handler(http_scope(**scope), self.events.get, self.send)
        return asyncio.create_task(serving)


async def done(task: asyncio.Task[None]) -> None:
    async with asyncio.timeout(BOUND_S):
        await task


async def happens(event: asyncio.Event) -> None:
    async with asyncio.timeout(BOUND_S):
        await event.wait()


async def echo(request: HttpRequest) -> HttpResponseBase:
    return HttpResponse(request.body, content_type="text/plain")


def lean(view: View) -> LeanHandler:
    return LeanHandler(lambda: view, LARGEST)


# The body of a request.


@pytest.mark.parametrize(
    ("events", "read"),
    [
        ([part(b"")], b""),
        ([{"type": "http.request"}], b""),
        ([part(b"all")], b"all"),
        ([part(b"a", more=True), part(b"b", more=True), part(b"c")], b"abc"),
        ([part(b"", more=True), part(b"late")], b"late"),
        ([part(b"early", more=True), part(b"")], b"early"),
        ([part(b"x", more=True), {"type": "http.request"}], b"x"),
        ([part(b"0123456789")], b"0123456789"),
        ([part(b"01234", more=True), part(b"56789")], b"0123456789"),
        # One byte too many is kept, however many there are.
        ([part(b"0123456789X")], b"0123456789X"),
        ([part(b"0123456789X" + b"y" * 1000)], b"0123456789X"),
        ([part(b"01234567", more=True), part(b"89Xyz")], b"0123456789X"),
        (
            [part(b"0123456789Xyz", more=True), part(b"y", more=True), part(b"y")],
            b"0123456789X",
        ),
    ],
)
async def test_a_body_is_read_to_its_end_and_kept_to_its_limit(
    events: list[dict[str, Any]], read: bytes
) -> None:
    client = Client(*events)
    await done(client.call(echo))
    assert client.events.empty()
    assert client.said[-1] == {"type": "http.response.body", "body": read}


class Unread(dict[str, Any]):
    """A part of a body that nobody may look at."""

    def get(self, name: str, default: Any = None) -> Any:
        assert name != "body"
        return super().get(name, default)


async def test_what_is_over_the_limit_is_not_kept() -> None:
    enough = part(b"0123456789X", more=True)
    client = Client(enough, Unread(part(b"y", more=True)), Unread(part(b"z")))
    await done(client.call(echo))
    assert client.said[-1]["body"] == b"0123456789X"


@pytest.mark.parametrize("before", [[], [part(b"a", more=True)]])
async def test_who_goes_before_the_body_is_complete_is_not_served(
    before: list[dict[str, Any]],
) -> None:
    called: list[HttpRequest] = []

    async def view(request: HttpRequest) -> HttpResponseBase:
        called.append(request)
        return HttpResponse()

    client = Client(*before, DISCONNECT)
    await done(client.call(view))
    assert (called, client.said) == ([], [])


# A client that goes.


class Waiting:
    """A view that waits; ``ended`` says how that ended."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.ended = ""

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        self.entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.ended = "cancelled"
            raise
        return HttpResponse()


async def test_who_goes_cancels_the_view_that_waits() -> None:
    view, client = Waiting(), Client(part(b""))
    serving = client.call(view)
    await happens(view.entered)
    client.goes()
    await done(serving)
    assert (view.ended, client.said) == ("cancelled", [])


async def test_a_server_that_gives_up_cancels_the_view_that_waits() -> None:
    view, client = Waiting(), Client(part(b""))
    serving = client.call(view)
    await happens(view.entered)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await done(serving)
    assert (view.ended, client.said) == ("cancelled", [])


async def test_who_goes_while_the_reply_ends_does_not_cancel_the_server() -> None:
    entered, may_end = asyncio.Event(), asyncio.Event()

    async def view(request: HttpRequest) -> HttpResponseBase:
        entered.set()
        await may_end.wait()
        return HttpResponse("sent")

    client, told = Client(part(b"")), []

    async def server() -> None:
        await lean(view)(http_scope(), client.events.get, client.send)
        for _ in range(3):
            await asyncio.sleep(0)
        told.append("the server goes on")

    serving = asyncio.create_task(server())
    await happens(entered)
    # Let the client be listened to, and then let both happen in one turn.
    await asyncio.sleep(0)
    client.goes()
    may_end.set()
    await done(serving)
    assert told == ["the server goes on"]
    assert client.said[-1] == {"type": "http.response.body", "body": b"sent"}


async def test_a_server_that_gives_up_as_the_client_goes_is_told_that_it_did() -> None:
    entered, cleaning = asyncio.Event(), asyncio.Event()

    async def view(request: HttpRequest) -> HttpResponseBase:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            cleaning.set()
            await asyncio.Event().wait()
        return HttpResponse()

    client = Client(part(b""))
    serving = client.call(view)
    await happens(entered)
    client.goes()
    await happens(cleaning)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await done(serving)


async def test_after_the_reply_nobody_listens_to_the_client() -> None:
    left = asyncio.Event()
    unread = [part(b"")]

    async def receive() -> dict[str, Any]:
        if unread:
            return unread.pop()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        return DISCONNECT

    async def view(request: HttpRequest) -> HttpResponseBase:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return HttpResponse("sent")

    client = Client()
    await lean(view)(http_scope(), receive, client.send)
    await happens(left)
    assert client.said[-1] == {"type": "http.response.body", "body": b"sent"}


async def test_a_connection_that_breaks_cancels_the_view_that_waits() -> None:
    view, broken, client = Waiting(), asyncio.Event(), Client(part(b""))

    async def receive() -> dict[str, Any]:
        if client.events.empty():
            await broken.wait()
            raise OSError("the connection is broken")
        return client.events.get_nowait()

    handling = lean(view)(http_scope(), receive, client.send)
    serving = asyncio.create_task(handling)
    await happens(view.entered)
    broken.set()
    await done(serving)
    assert (view.ended, client.said) == ("cancelled", [])


class Streaming:
    """A view whose reply is ``pieces``, and then silence."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.silent = asyncio.Event()
        self.told: list[str] = []

    async def _body(self) -> AsyncIterator[bytes]:
        try:
            for piece in self.pieces:
                yield piece
            self.silent.set()
            await asyncio.Event().wait()
        finally:
            self.told.append("generator closed")

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Kept, so that the generator's end is nobody's but the handler's.
        self.response = StreamingHttpResponse(self._body())
        closers = self.response._resource_closers  # type: ignore[attr-defined]
        closers.append(lambda: self.told.append("closer run"))
        return self.response


async def test_who_goes_ends_a_stream_that_is_silent() -> None:
    view, client = Streaming(b"one", b"two"), Client(part(b""))
    serving = client.call(view)
    await happens(view.silent)
    assert [event.get("body") for event in client.said] == [None, b"one", b"two"]
    assert view.told == []
    client.goes()
    await done(serving)
    assert view.told == ["generator closed", "closer run"]


@pytest.mark.parametrize("blocks_at", [1, 2])
async def test_who_goes_ends_a_stream_that_cannot_be_written(blocks_at: int) -> None:
    view, client = Streaming(b"one", b"two"), Client(part(b""), blocks_at=blocks_at)
    serving = client.call(view)
    await happens(client.is_blocked)
    client.goes()
    await done(serving)
    assert view.told == ["generator closed", "closer run"]
    assert len(client.said) == blocks_at


async def test_who_goes_before_a_stream_begins_still_frees_what_it_holds() -> None:
    view, client = Streaming(b"one"), Client(part(b""), blocks_at=0)
    serving = client.call(view)
    await happens(client.is_blocked)
    client.goes()
    await done(serving)
    assert view.told == ["closer run"]


# Failures.


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what went wrong, as the log has it, each with its exception."""
    records = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert {record.name for record in records} <= {"mcp_transport"}
    assert all(record.exc_info for record in records)
    return [record.getMessage() for record in records]


@pytest.mark.parametrize("waits", [0, 1])
async def test_a_view_that_raises_is_500_without_its_text(
    caplog: pytest.LogCaptureFixture, waits: int
) -> None:
    async def view(request: HttpRequest) -> HttpResponseBase:
        for _ in range(waits):
            await asyncio.sleep(0)
        raise RuntimeError("the secret text")

    answer = await ask(lean(view))
    assert answer.status == 500
    assert answer.values("content-type") == ["application/json"]
    assert answer.values("content-length") == [str(len(answer.body))]
    error = answer.json()["error"]
    assert (error["code"], error["message"]) == (-32600, "internal error")
    assert errors(caplog) == ["the endpoint failed"]
    assert "the secret text" in caplog.text


async def test_a_view_that_cannot_be_made_is_500_without_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def no_view() -> View:
        raise ValueError("the secret text")

    answer = await ask(LeanHandler(no_view, LARGEST))
    assert (answer.status, b"secret" in answer.body) == (500, False)
    assert errors(caplog) == ["the endpoint failed"]


async def test_a_reply_that_cannot_be_sent_is_logged_and_closed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(event: Event) -> None:
        raise OSError("the pipe is broken")

    view, client = Streaming(b"one"), Client(part(b""))
    async with asyncio.timeout(BOUND_S):
        await lean(view)(http_scope(), client.events.get, broken)
    assert view.told == ["closer run"]
    assert errors(caplog) == ["a reply could not be sent"]


async def test_a_stream_that_raises_is_logged_and_closed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"one"
        raise RuntimeError("no more")

    closed: list[str] = []

    async def view(request: HttpRequest) -> HttpResponseBase:
        response = StreamingHttpResponse(body())
        closers = response._resource_closers  # type: ignore[attr-defined]
        closers.append(lambda: closed.append("closer run"))
        return response

    client = Client(part(b""))
    await done(client.call(view))
    # Nothing tells the client that this was the end: it is cut off.
    assert client.said[-1]["more_body"] is True
    assert closed == ["closer run"]
    assert errors(caplog) == ["a reply could not be sent"]


async def test_a_closer_that_raises_does_not_keep_others_from_closing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    closed: list[str] = []

    def failing() -> None:
        raise RuntimeError("no")

    async def view(request: HttpRequest) -> HttpResponseBase:
        response = HttpResponse("sent")
        closers = response._resource_closers  # type: ignore[attr-defined]
        closers += [failing, lambda: closed.append("closer run")]
        return response

    answer = await ask(lean(view))
    assert (answer.status, answer.body, closed) == (200, b"sent", ["closer run"])
    assert errors(caplog) == ["a reply could not be closed"]


# Replies.


async def test_cookies_and_headers_are_sent() -> None:
    async def view(request: HttpRequest) -> HttpResponseBase:
        response = HttpResponse("caf\u00e9", headers={"X-Latin": "caf\u00e9"})
        response.set_cookie("one", "1", httponly=True)
        response.set_cookie("two", "2", max_age=60, path="/mcp")
        return response

    answer = await ask(lean(view))
    assert answer.values("x-latin") == ["caf\u00e9"]
    one, two = answer.values("set-cookie")
    assert one == "one=1; HttpOnly; Path=/"
    assert two.startswith("two=2; expires=")
    assert two.endswith("; Max-Age=60; Path=/mcp")
    assert answer.values("content-length") == ["5"]


@pytest.mark.parametrize(
    ("status", "headers", "lengths"),
    [(200, {}, ["0"]), (202, {}, ["0"]), (200, {"content-length": "0"}, ["0"])],
)
async def test_a_reply_has_one_length(
    status: int, headers: dict[str, str], lengths: list[str]
) -> None:
    async def view(request: HttpRequest) -> HttpResponseBase:
        return HttpResponse(status=status, headers=headers)

    assert (await ask(lean(view))).values("content-length") == lengths


async def test_a_reply_without_content_has_no_length() -> None:
    async def view(request: HttpRequest) -> HttpResponseBase:
        return HttpResponse(status=204)

    assert (await ask(lean(view))).values("content-length") == []


async def test_a_stream_is_sent_piece_by_piece_after_its_headers() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    async def view(request: HttpRequest) -> HttpResponseBase:
        return StreamingHttpResponse(body(), content_type="text/event-stream")

    client = Client(part(b""))
    await done(client.call(view))
    assert client.said == [
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"Content-Type", b"text/event-stream")],
        },
        {"type": "http.response.body", "body": b"one", "more_body": True},
        {"type": "http.response.body", "body": b"two", "more_body": True},
        {"type": "http.response.body", "body": b""},
    ]


# What Django's own handler does and this one does not.

contexts: list[object] = []


async def noting(request: HttpRequest) -> HttpResponseBase:
    contexts.append(SyncToAsync.thread_sensitive_context.get(None))
    return HttpResponse()


urlpatterns = [path("mcp", noting)]
HANDLERS: dict[str, Callable[[], Any]] = {
    "lean": lambda: lean(noting),
    "django": get_asgi_application,
}


@pytest.mark.parametrize("name", HANDLERS)
async def test_only_djangos_handler_gives_a_thread_and_sends_signals(name: str) -> None:
    contexts.clear()
    sent: list[str] = []

    def started(**_: Any) -> None:
        sent.append("started")

    def finished(**_: Any) -> None:
        sent.append("finished")

    request_started.connect(started)
    request_finished.connect(finished)
    try:
        with override_settings(ROOT_URLCONF="tests.test_handler", MIDDLEWARE=[]):
            answer = await ask(HANDLERS[name]())
    finally:
        request_started.disconnect(started)
        request_finished.disconnect(finished)
    assert answer.status == 200
    (context,) = contexts
    if name == "lean":
        assert (context, sent) == (None, [])
    else:
        assert context is not None
        assert sent == ["started", "finished"]
