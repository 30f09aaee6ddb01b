"""What observers hear of a connection, and who debugs is shown of it."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest

from mcp_transport.engine.caller import ANONYMOUS
from mcp_transport.engine.observing import Connection, Observer
from mcp_transport.protocol.revisions import LATEST_STATEFUL
from mcp_transport.transports.duplex import GoingAway, serve
from tests.engine.exchanges import serving
from tests.transports.test_duplex import BINDING, Scripted, connected, stateless


class Noting(Observer):
    def __init__(self) -> None:
        self.began: list[Connection] = []
        self.ended: list[Connection] = []

    def connection_began(self, connection: Connection) -> None:
        self.began.append(connection)

    def connection_ended(self, connection: Connection) -> None:
        self.ended.append(connection)


class Shown:
    """Has seen every message."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, Any]] = []

    def received(self, where: str, message: bytes) -> None:
        self.seen.append(("in", where, json.loads(message)))

    def sent(self, where: str, message: bytes) -> None:
        self.seen.append(("out", where, json.loads(message)))


async def test_observers_hear_of_a_connection() -> None:
    noting = Noting()
    async with connected(serving(observers=[noting]), LATEST_STATEFUL) as client:
        (record,) = noting.began
        assert (record.door, record.caller, record.ending) == ("list", ANONYMOUS, "")
        await client.catches_up()
        assert noting.ended == []
    assert noting.ended == [record]
    assert (record.ending, record.revision) == ("client_left", LATEST_STATEFUL.name)
    assert (record.received, record.sent) == (3, 2)
    assert record.sent_bytes > 100
    assert record.duration_s > 0


class Ending(Scripted):
    """A transport that ends in some way by itself."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error

    async def receive(self) -> bytes | None:
        raise self._error


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (ConnectionError("gone"), "broken"),
        (GoingAway(), "going_away"),
        (asyncio.CancelledError(), "going_away"),
        (RuntimeError("a fault of ours"), "failed"),
    ],
)
async def test_observers_hear_how_it_ended(error: BaseException, ending: str) -> None:
    noting = Noting()
    server = serving(observers=[noting])
    with suppress(RuntimeError, asyncio.CancelledError):
        await serve(server, Ending(error), ANONYMOUS, BINDING)
    assert [record.ending for record in noting.ended] == [ending]


async def test_who_debugs_is_shown_each_message_both_ways() -> None:
    shown = Shown()
    async with connected(serving(wire=shown)) as client:
        client.asks(1, "tools/list", stateless())
        answer = await client.hears()
        client.tells("notifications/cancelled", requestId=1)
        await client.catches_up()
    (first, second, third, *_) = shown.seen
    assert first[:2] == ("in", "list")
    assert first[2]["method"] == "tools/list"
    assert second == ("out", "list", answer)
    assert third[2]["method"] == "notifications/cancelled"
    assert client.happened == ["start", "close"]
