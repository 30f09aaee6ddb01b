from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from mcp_transport import connections as ours
from mcp_transport.connections import (
    _shared,
    close_shared_connections,
    closing_old_connections,
)
from mcp_transport.engine.threads import Threads
from mcp_transport.handler import LeanHandler
from mcp_transport.middleware import View
from tests.rawasgi import ask
from tests.test_handler import Client, happens, part

pytestmark = pytest.mark.django_db(transaction=True)
BOUND_S = 30


class Hops:
    """Counts the times that the shared thread is asked for, as it is by ours."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, function: Callable[..., Any]) -> Any:
        self.count += 1
        return sync_to_async(function)


@pytest.fixture(autouse=True)
async def hops(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hops]:
    """Begin, and end, with the shared thread's connection closed."""
    await sync_to_async(connections.close_all)()
    monkeypatch.setattr(_shared, "has_connection", False)
    monkeypatch.setattr(_shared, "closing", None)
    counted = Hops()
    monkeypatch.setattr(ours, "sync_to_async", counted)
    yield counted
    await closed()
    await sync_to_async(connections.close_all)()


async def closed() -> None:
    """Wait for the closing that is under way, if any."""
    async with asyncio.timeout(BOUND_S):
        if _shared.closing is not None:
            await _shared.closing


def this_threads() -> BaseDatabaseWrapper:
    return connections["default"]


def ensure_connection() -> None:
    connection.ensure_connection()


async def shared() -> BaseDatabaseWrapper:
    """Return the shared thread's connection, which may be closed."""
    return await sync_to_async(this_threads)()


def lean(view: View) -> LeanHandler:
    return LeanHandler(lambda: view, 1000)


async def counting(request: HttpRequest) -> HttpResponseBase:
    return HttpResponse(f"{await Group.objects.acount()}")


async def idle(request: HttpRequest) -> HttpResponseBase:
    return HttpResponse()


# The shared thread.


async def test_what_async_code_opened_is_closed_behind_the_reply(hops: Hops) -> None:
    wrapper = await shared()
    for n in (1, 2):
        opened: list[Any] = []

        async def view(request: HttpRequest) -> HttpResponseBase:
            response = await counting(request)
            opened.append(wrapper.connection)  # noqa: B023 - called in this turn
            return response

        answer = await ask(lean(view))
        assert (answer.status, answer.body) == (200, b"0")
        assert opened[0] is not None
        await closed()
        assert wrapper.connection is None
        assert hops.count == n


async def test_where_nothing_was_opened_no_thread_is_asked_to_close(hops: Hops) -> None:
    for _ in range(3):
        assert (await ask(lean(idle))).status == 200
    assert (hops.count, _shared.closing) == (0, None)


async def test_after_closing_no_thread_is_asked_again(hops: Hops) -> None:
    await ask(lean(counting))
    await closed()
    for _ in range(3):
        await ask(lean(idle))
    await closed()
    assert hops.count == 1


async def test_a_view_that_raises_leaves_nothing_open() -> None:
    async def view(request: HttpRequest) -> HttpResponseBase:
        await counting(request)
        raise RuntimeError("no")

    wrapper = await shared()
    assert (await ask(lean(view))).status == 500
    await closed()
    assert wrapper.connection is None


async def test_a_view_that_is_cancelled_leaves_nothing_open() -> None:
    entered = asyncio.Event()

    async def view(request: HttpRequest) -> HttpResponseBase:
        await counting(request)
        entered.set()
        await asyncio.Event().wait()
        return HttpResponse()

    wrapper, client = await shared(), Client(part(b""))
    serving = client.call(view)
    await happens(entered)
    assert wrapper.connection is not None
    client.goes()
    async with asyncio.timeout(BOUND_S):
        await serving
    await closed()
    assert wrapper.connection is None


async def test_what_a_stream_opened_is_closed_when_it_ends() -> None:
    wrapper = await shared()
    opened: list[Any] = []

    async def body() -> AsyncIterator[bytes]:
        yield b"%d" % await Group.objects.acount()
        opened.append(wrapper.connection)

    async def view(request: HttpRequest) -> HttpResponseBase:
        return StreamingHttpResponse(body())

    assert (await ask(lean(view))).body == b"0"
    assert opened[0] is not None
    await closed()
    assert wrapper.connection is None


async def test_a_connection_that_may_stay_is_looked_after_at_each_request(
    monkeypatch: pytest.MonkeyPatch, hops: Hops
) -> None:
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", None)
    wrapper = await shared()
    await ask(lean(counting))
    await closed()
    assert wrapper.connection is not None
    for n in (2, 3):
        await ask(lean(idle))
        await closed()
        assert (hops.count, wrapper.connection is None) == (n, False)
    # It has become too old.
    wrapper.close_at = 0
    await ask(lean(idle))
    await closed()
    assert wrapper.connection is None
    await ask(lean(idle))
    await closed()
    assert hops.count == 4


async def test_two_requests_at_once_ask_for_one_closing(hops: Hops) -> None:
    await sync_to_async(ensure_connection)()
    close_shared_connections()
    first = _shared.closing
    _shared.has_connection = True
    close_shared_connections()
    assert _shared.closing is first
    await closed()
    assert hops.count == 1


async def test_what_was_opened_while_the_report_was_on_its_way_is_remembered(
    monkeypatch: pytest.MonkeyPatch, hops: Hops
) -> None:
    """Another request opens one after the thread has closed, before we hear of it."""
    wrapper = await shared()

    def overtaken(function: Callable[..., Any]) -> Any:
        async def call() -> Any:
            result = await sync_to_async(function)()
            await sync_to_async(ensure_connection)()
            return result

        return call

    monkeypatch.setattr(ours, "sync_to_async", overtaken)
    await ask(lean(counting))
    await closed()
    assert wrapper.connection is not None
    monkeypatch.setattr(ours, "sync_to_async", hops)
    await ask(lean(idle))
    await closed()
    assert (wrapper.connection, hops.count) == (None, 1)


def test_a_closing_of_a_loop_that_has_ended_does_not_stand_in_the_way() -> None:
    async def left_behind() -> None:
        await sync_to_async(ensure_connection)()
        _shared.closing = asyncio.get_running_loop().create_future()  # type: ignore[assignment]

    async def another() -> BaseDatabaseWrapper:
        close_shared_connections()
        await closed()
        return await shared()

    asyncio.run(left_behind())
    assert asyncio.run(another()).connection is None


# Worker threads.


async def test_a_worker_thread_closes_its_own(hops: Hops) -> None:
    threads = Threads(1, closing_old_connections)
    opened: list[Any] = []

    def query() -> BaseDatabaseWrapper:
        Group.objects.count()
        opened.append(connection.connection)
        return this_threads()

    def failing() -> None:
        wrappers.append(query())
        raise RuntimeError("no")

    wrappers: list[BaseDatabaseWrapper] = [await threads(query)]
    assert wrappers[0].connection is None
    with pytest.raises(RuntimeError, match="no"):
        await threads(failing)
    threads.close()
    assert wrappers[0] is wrappers[1]
    assert wrappers[0].connection is None
    assert len(opened) == 2
    assert None not in opened
    # Theirs is nothing that a request has to look after.
    assert not _shared.has_connection
    await ask(lean(idle))
    assert hops.count == 0


async def test_a_worker_threads_connection_that_is_too_old_is_not_used_again() -> None:
    threads = Threads(1, closing_old_connections)

    def query() -> Any:
        Group.objects.count()
        wrapper = this_threads()
        wrapper.close_at = None
        return wrapper, wrapper.connection

    wrapper, first = await threads(query)
    assert wrapper.connection is first
    assert await threads(query) == (wrapper, first)
    wrapper.close_at = 0
    _, another = await threads(query)
    assert another is not first
    wrapper.close_at = 0
    await threads(lambda: None)
    assert wrapper.connection is None
    threads.close()


def test_only_the_thread_itself_is_taken_to_close_its_own() -> None:
    """A thread may get the number of one that has ended."""

    def worker() -> None:
        with closing_old_connections():
            pass

    def other() -> None:
        _shared.created()

    number: list[int] = []
    for run in (worker, other):
        thread = threading.Thread(target=run)
        thread.start()
        thread.join(BOUND_S)
        number.append(thread.ident or 0)
    assert _shared.has_connection
