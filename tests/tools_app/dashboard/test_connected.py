"""Who is connected, as the page shows it, and what is ended from there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from mcp_transport import presence
from mcp_transport.conf import get_store
from mcp_transport.engine.caller import Caller
from mcp_transport.engine.presence import session_handle
from mcp_transport.engine.session import Session
from mcp_transport.presence import StoreUnavailable
from mcp_transport.protocol.peer import Peer
from mcp_transport.protocol.revisions import LATEST_STATEFUL
from mcp_transport.transports.open_streams import Ending, OpenStream, get_open_streams
from tests import settings
from tests.tools_app.conftest import Issue
from tests.tools_app.pages import staff, words
from tools_app.dashboard import connected

PAGE = "/admin/tools_app/dashboard/"
LIVE = f"{PAGE}live/"
END = f"{PAGE}end/"
PEER = Peer(LATEST_STATEFUL, info={"name": "<inspector>", "version": "2"})
ADA = Caller("ada")

pytestmark = pytest.mark.django_db


class Held:
    async def caller(self) -> Caller:
        return ADA


@pytest.fixture(autouse=True)
def _store_of_its_own() -> Iterator[None]:
    with override_settings(MCP=settings.MCP | {"NAME": "connected"}):
        yield


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The event loop of the server, on which streams are open."""
    loop = asyncio.new_event_loop()
    yield loop
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


@pytest.fixture
def ender(client: Client) -> User:
    return staff(client, "view_dashboard", "end_session")


def begun(caller: Caller = ADA, door: str = "streamable-http") -> Session:
    session = Session.new(caller, door)
    session.peer = PEER
    async_to_sync(get_store().sessions.add)(session)
    return session


def opened(loop: asyncio.AbstractEventLoop, session: Session | None = None) -> Any:
    """Return a stream of the session; without one, a WebSocket."""

    async def opening() -> OpenStream:
        stream = get_open_streams().standing(ADA, Held())
        stream.door = "websocket" if session is None else session.door
        if session is None:
            stream.meet(PEER)
        else:
            stream.session_id = session.id
        return stream

    return loop.run_until_complete(opening())


def live(client: Client, query: str = "") -> str:
    response = client.get(LIVE + query)
    assert response.status_code == 200
    return words(response)


def ending(client: Client, kind: str, handle: str, **more: str) -> Any:
    return client.post(END, {"kind": kind, "handle": handle, **more}, follow=True)


def exists(session: Session) -> bool:
    found = async_to_sync(get_store().sessions.get)(session.id, session.subject)
    return found is not None


# What is shown.


def test_where_nobody_is_connected_it_says_so(client: Client, ender: User) -> None:
    assert "Nobody is connected." in live(client)
    assert "Nobody is connected." in words(client.get(PAGE))


def test_sessions_are_shown_with_their_clients(
    client: Client, root: User, issue: Issue
) -> None:
    token = issue(name="laptop")[0]
    session = begun(Caller("token:x", token_id=token.public_id))
    response = client.get(LIVE)
    assert b"&lt;inspector&gt; 2" in response.content
    text = words(response)
    assert f'href="/admin/tools_app/token/{token.pk}/change/">laptop</a> (ada)' in text
    assert LATEST_STATEFUL.name in text
    handle = session_handle(session.id)
    assert f'/admin/tools_app/call/?session_id__exact={handle}"><code>' in text
    assert f"<code>{handle[:8]}</code>" in text
    assert session.id not in text
    assert "no-store" in response["Cache-Control"]


def test_who_may_not_see_tokens_is_not_led_to_them(
    client: Client, ender: User, issue: Issue
) -> None:
    token = issue(name="laptop")[0]
    begun(Caller("token:x", token_id=token.public_id))
    text = live(client)
    assert "laptop (ada)" in text
    assert "tools_app/token" not in text


def test_the_doors_are_drawn(
    client: Client, ender: User, loop: asyncio.AbstractEventLoop
) -> None:
    opened(loop, begun())
    begun()
    opened(loop)
    text = live(client)
    rows = re.findall(r'<tr><th scope="row">(\S+)(.*?)</tr>', text, re.DOTALL)
    told = {
        door: (re.findall(r'width="(\d+)"', row), re.findall(r"<td>(\d)</td>", row))
        for door, row in rows
    }
    assert told == {
        "streamable-http": (["100", "50"], ["2", "1"]),
        "websocket": (["0", "50"], ["0", "1"]),
    }


def test_a_stream_of_a_session_is_counted_with_it(
    client: Client, ender: User, loop: asyncio.AbstractEventLoop
) -> None:
    stream = opened(loop, begun())
    text = live(client)
    assert "without a session" not in text
    assert '<td class="short" data-label="Streams">1</td>' in text
    assert stream.handle not in text


def test_a_socket_is_shown_by_itself(
    client: Client, ender: User, loop: asyncio.AbstractEventLoop
) -> None:
    stream = opened(loop)
    text = live(client)
    assert "without a session" in text
    assert stream.handle in text
    assert "<inspector> 2" in text


def test_what_is_not_shown_is_counted(
    client: Client, ender: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connected, "MOST", 2)
    for _ in range(3):
        begun()
    text = live(client)
    assert "Sessions: <b>3</b>" in text
    assert "Those that were used last are shown." in text
    assert text.count('name="handle"') == 2


def test_a_store_that_cannot_be_reached_is_said(
    client: Client, ender: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(presence, "sessions", away)
    assert "Sessions cannot be reached at the moment." in words(client.get(PAGE))
    monkeypatch.setattr(presence, "end_session", away)
    response = ending(client, "session", "0" * 16)
    assert "Sessions cannot be reached at the moment." in words(response)
    assert not LogEntry.objects.exists()


def test_the_number_of_queries_depends_on_nothing(
    client: Client, ender: User, issue: Issue
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            live(client)
        return len(captured)

    def sessions(count: int) -> None:
        for number in range(count):
            token = issue(name=f"t{number}")[0]
            begun(Caller(f"token:{number}", token_id=token.public_id))

    sessions(1)
    counted = queries()
    sessions(5)
    assert queries() == counted <= 5


# What is ended.


def test_a_session_is_ended_and_that_is_in_the_history(
    client: Client, ender: User
) -> None:
    session, other = begun(), begun()
    handle = session_handle(session.id)
    response = ending(client, "session", handle, period="week", tool="count")
    assert response.redirect_chain == [(f"{PAGE}?period=week&tool=count", 302)]
    assert f"Ended: session {handle}." in words(response)
    assert not exists(session)
    assert exists(other)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.action_flag) == (ender, DELETION)
    assert (entry.object_repr, entry.object_id) == (f"session {handle}", handle)
    assert entry.content_type is not None
    assert entry.content_type.model == "dashboard"


def test_a_stream_is_ended(
    client: Client, ender: User, loop: asyncio.AbstractEventLoop
) -> None:
    stream = opened(loop)
    response = ending(client, "stream", stream.handle)
    assert f"Ended: stream {stream.handle}." in words(response)
    assert stream.ending is Ending.DISMISSED


def test_what_has_ended_is_not_ended_again(client: Client, ender: User) -> None:
    response = ending(client, "session", "0" * 16)
    assert "It had ended before." in words(response)
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"kind": "session"},
        {"kind": "token", "handle": "0" * 16},
        {"kind": "session", "handle": "0" * 15},
        {"kind": "session", "handle": "0" * 16 + "\n"},
    ],
)
def test_what_cannot_be_told_is_not_ended(
    client: Client, ender: User, given: dict[str, str]
) -> None:
    response = client.post(END, given, follow=True)
    assert "It could not be told what to end." in words(response)


@pytest.mark.parametrize("codenames", [["view_dashboard"], ["end_session"], []])
def test_ending_needs_its_own_permission(client: Client, codenames: list[str]) -> None:
    staff(client, *codenames)
    session = begun()
    given = {"kind": "session", "handle": session_handle(session.id)}
    assert client.post(END, given).status_code == 403
    assert exists(session)
    if codenames == ["view_dashboard"]:
        assert "<form" not in live(client)


def test_ending_is_posted_with_a_token_of_the_form(ender: User) -> None:
    session = begun()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ender)
    given = {"kind": "session", "handle": session_handle(session.id)}
    assert strict.post(END, given).status_code == 403
    assert strict.get(END, given).status_code == 405
    assert exists(session)
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', live(strict))
    assert found is not None
    response = strict.post(END, {**given, "csrfmiddlewaretoken": found[1]})
    assert response.status_code == 302
    assert not exists(session)
