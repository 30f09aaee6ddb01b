"""What observers hear of WebSockets: who was turned away, and how they end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from mcp_transport.conf import get_server
from mcp_transport.engine.observing import Connection, Observer
from tests.transports.test_websocket import (
    ANONYMOUS,
    MCP,
    application,
    refused,
    turned_away,
)
from tests.websocket.peer import connected, stateless


class Noting(Observer):
    def __init__(self) -> None:
        self.refused: list[int] = []
        self.ended: list[Connection] = []

    def request_refused(self, status: int, reason: str) -> None:
        self.refused.append(status)

    def connection_ended(self, connection: Connection) -> None:
        self.ended.append(connection)


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    observers = ["tests.transports.test_websocket_observed.Noting"]
    given = {**MCP, "OBSERVERS": observers, "MAX_BODY_BYTES": 1000}
    with override_settings(MCP=given):
        yield


def noting() -> Noting:
    (observer,) = get_server().observers
    assert isinstance(observer, Noting)
    return observer


async def test_who_is_turned_away_is_told_by_an_http_status() -> None:
    seen = noting()
    await refused(application, subprotocols=["chat"])
    await turned_away(headers=ANONYMOUS)
    assert seen.refused == [403, 401]
    assert seen.ended == []


@pytest.mark.parametrize(
    ("frame", "ending"),
    [(b"binary", "not_text"), ("x" * 1001, "too_large"), (None, "client_left")],
)
async def test_the_end_is_told_by_its_reason(frame: Any, ending: str) -> None:
    seen = noting()
    async with connected(application) as peer:
        peer.sends(stateless("tools/list"))
        await peer.hears()
        if frame is not None:
            peer.sends(frame)
            await peer.closed()
    (record,) = seen.ended
    assert (record.door, record.caller.subject) == ("websocket", "alice")
    assert record.ending == ending
    assert (record.received, record.sent) == (1, 1)
