"""What observers are told, and what they cannot do."""

from __future__ import annotations

import asyncio
import logging

import pytest

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.exchange import Exchange
from mcp_transport.engine.observing import (
    Connection,
    Observer,
    Outcome,
    ServedRequest,
    tell_began,
    tell_ended,
    tell_refused,
)
from mcp_transport.engine.presence import session_handle
from mcp_transport.engine.server import Server
from mcp_transport.protocol.errors import INVALID_PARAMS, METHOD_NOT_FOUND
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL
from tests.engine.exchanges import every_revision, opened, serving, session_of

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


class Noting(Observer):
    def __init__(self) -> None:
        self.seen: list[ServedRequest] = []
        self.refused: list[tuple[int, str]] = []
        self.connections: list[tuple[str, Connection]] = []

    def request_served(self, request: ServedRequest) -> None:
        self.seen.append(request)

    def request_refused(self, status: int, reason: str) -> None:
        self.refused.append((status, reason))

    def connection_began(self, connection: Connection) -> None:
        self.connections.append(("began", connection))

    def connection_ended(self, connection: Connection) -> None:
        self.connections.append((connection.ending, connection))


class Failing(Observer):
    def request_served(self, request: ServedRequest) -> None:
        raise RuntimeError("a disk is full")

    def request_refused(self, status: int, reason: str) -> None:
        raise RuntimeError("a disk is full")

    def connection_began(self, connection: Connection) -> None:
        raise RuntimeError("a disk is full")

    def connection_ended(self, connection: Connection) -> None:
        raise RuntimeError("a disk is full")

    async def drain(self) -> None:
        raise RuntimeError("a disk is full")


@pytest.fixture
def shelf() -> Shelf:
    shelf = Shelf()

    @shelf.tool
    def greet(name: str) -> str:
        if name == "nobody":
            raise ValueError("a secret")
        return f"Hello {name}"

    @shelf.tool(timeout_s=0.01)
    async def late() -> None:
        await asyncio.sleep(30)

    @shelf.tool
    async def wait() -> None:
        await asyncio.sleep(30)

    return shelf


@pytest.fixture
def noting() -> Noting:
    return Noting()


@pytest.fixture
def server(shelf: Shelf, noting: Noting) -> Server:
    return serving(shelf, observers=[noting])


async def served(exchange: Exchange) -> None:
    async with exchange:
        async for _ in exchange:
            pass


def call(
    server: Server, revision: Revision, tool: str, **arguments: object
) -> Exchange:
    params = {"name": tool, "arguments": arguments}
    return opened(server, "tools/call", params, revision=revision)


@every_revision
async def test_each_outcome_is_told(
    server: Server, noting: Noting, revision: Revision
) -> None:
    for tool, arguments, outcome, error in (
        ("greet", {"name": "Ada"}, Outcome.OK, None),
        ("greet", {"name": "nobody"}, Outcome.TOOL_ERROR, "The tool failed"),
        ("late", {}, Outcome.TIMED_OUT, None),
        ("none", {}, Outcome.ERROR, "Unknown tool: none"),
    ):
        await served(call(server, revision, tool, **arguments))
        (seen,) = noting.seen
        noting.seen.clear()
        assert seen.outcome is outcome
        assert seen.method == "tools/call"
        assert seen.params["name"] == tool
        assert seen.revision == revision.name
        assert seen.door == "test"
        assert seen.sent_bytes > 50
        assert seen.duration_s >= 0
        if error is not None:
            assert seen.error is not None
            assert seen.error.startswith(error)
            assert "secret" not in seen.error
    assert seen.error_code == INVALID_PARAMS


async def test_a_cancelled_request_is_told(server: Server, noting: Noting) -> None:
    async with call(server, LATEST, "wait"):
        pass
    (seen,) = noting.seen
    assert seen.outcome is Outcome.CANCELLED


async def test_a_refused_request_is_told(server: Server, noting: Noting) -> None:
    await served(opened(server, "tools/none"))
    (seen,) = noting.seen
    assert (seen.outcome, seen.error_code) == (Outcome.ERROR, METHOD_NOT_FOUND)


async def test_the_trace_is_that_of_meta_else_of_the_header(
    server: Server, noting: Noting
) -> None:
    other = PARENT.replace("0af", "1bf")
    headers = {"traceparent": other}
    await served(opened(server, "tools/list", {}, headers=headers))
    meta = {"_meta": {"traceparent": PARENT}}
    await served(opened(server, "tools/list", meta, headers=headers))
    await served(opened(server, "tools/list", {"_meta": {"traceparent": "00-1"}}))
    assert [seen.trace_id for seen in noting.seen] == ["1bf" + TRACE[3:], TRACE, None]


async def test_who_fails_to_observe_concerns_nobody(
    shelf: Shelf, noting: Noting, caplog: pytest.LogCaptureFixture
) -> None:
    server = serving(shelf, observers=[Failing(), noting])
    with caplog.at_level(logging.ERROR, "mcp_transport"):
        await served(call(server, LATEST, "greet", name="Ada"))
        await server.drain_observers()
    assert [seen.outcome for seen in noting.seen] == [Outcome.OK]
    assert len(caplog.records) == 2


async def test_who_acts_as_the_caller_is_told(server: Server, noting: Noting) -> None:
    caller = Caller("ada", frozenset({"*"}), actor="grace")
    await served(opened(server, "tools/list", caller=caller))
    assert noting.seen[0].caller.actor == "grace"


async def test_a_request_is_named_by_what_it_is_about(
    server: Server, noting: Noting
) -> None:
    for method, params in (
        ("tools/call", {"name": "greet", "arguments": {"name": "Ada"}}),
        ("resources/read", {"uri": "note://" + "1" * 300}),
        ("tools/list", {}),
        ("tools/call", {"name": 7}),
    ):
        await served(opened(server, method, params))
    names = [seen.name for seen in noting.seen]
    assert names == ["greet", "note://" + "1" * 248, None, None]


async def test_a_session_is_told_by_its_handle(server: Server, noting: Noting) -> None:
    session = session_of(LATEST_STATEFUL)
    await served(opened(server, "ping", revision=LATEST_STATEFUL, session=session))
    await served(opened(server, "tools/list"))
    assert [seen.session for seen in noting.seen] == [session_handle(session.id), None]


def test_who_is_turned_away_is_told(
    noting: Noting, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "mcp_transport"):
        tell_refused([Failing(), noting], 401, "a bearer token is needed")
    assert noting.refused == [(401, "a bearer token is needed")]
    assert len(caplog.records) == 1


def test_a_connection_ends_once(
    noting: Noting, caplog: pytest.LogCaptureFixture
) -> None:
    connection = Connection(door="sse", caller=Caller("ada"))
    observers = [Failing(), noting]
    with caplog.at_level(logging.ERROR, "mcp_transport"):
        tell_began(observers, connection)
        assert (connection.duration_s, connection.ending) == (0, "")
        tell_ended(observers, connection, "client_left")
        tell_ended(observers, connection, "failed")
    assert noting.connections == [("began", connection), ("client_left", connection)]
    assert connection.duration_s > 0
    assert len(caplog.records) == 2


def test_what_a_door_says_of_the_end_stays(noting: Noting) -> None:
    connection = Connection(door="websocket", caller=Caller("ada"))
    connection.ending = "too_large"
    tell_ended([noting], connection, "client_left")
    assert noting.connections == [("too_large", connection)]
