"""What a server tells other processes, and what it does when they tell it."""

from __future__ import annotations

import asyncio

from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.changes import Change, ListChanged, ResourceUpdated
from mcp_transport.engine.signals import (
    Alone,
    Announced,
    Answered,
    Cancelled,
    CatalogueChanged,
    Ended,
)
from mcp_transport.protocol.messages import Notification, Response
from mcp_transport.protocol.revisions import LATEST_STATEFUL
from tests.engine.exchanges import (
    end_of,
    handed,
    opened,
    said,
    serving,
    session_of,
)


async def test_what_concerns_nothing_here_may_concern_another_process() -> None:
    server, session = serving(), session_of(LATEST_STATEFUL)
    answer = Response(server.answers.new_id(session.id), {"n": 1}, None)
    assert handed(server, answer, session).unheard == Answered(session.id, answer)
    for id in ("a", 1):
        cancel = Notification("notifications/cancelled", {"requestId": id})
        assert handed(server, cancel, session).unheard == Cancelled(session.id, id)
        assert handed(server, cancel, None).unheard is None
    for no_id in (None, True, 1.5, [1]):
        cancel = Notification("notifications/cancelled", {"requestId": no_id})
        assert handed(server, cancel, session).unheard is None
    ready = Notification("notifications/initialized", {})
    assert handed(server, ready, session).unheard is None


async def test_what_another_process_was_told_is_heard_here() -> None:
    shelf = Shelf()

    @shelf.tool
    async def endless() -> None:
        await asyncio.Event().wait()

    server = serving(shelf)
    one, other = session_of(LATEST_STATEFUL), session_of(LATEST_STATEFUL)
    call = {"name": "endless"}
    calls = [
        opened(server, "tools/call", call, session=session, id=id)
        for session, id in ((one, 1), (one, 2), (one, 3), (other, 1))
    ]
    assert server.hear(Cancelled(one.id, 1)) is True
    assert server.hear(Cancelled(one.id, "1")) is False
    assert [exchange.call.cancelled for exchange in calls] == [True, *[False] * 3]
    expected = server.answers.expect(one.id, "a")
    answer = Response("a", {}, None)
    assert server.hear(Answered(other.id, answer)) is False
    assert server.hear(Answered(one.id, answer)) is True
    assert await expected is answer
    server.hear(Ended(one.id))
    assert [exchange.call.cancelled for exchange in calls] == [*[True] * 3, False]
    server.hear(Ended(other.id))
    for exchange in calls:
        assert await said(exchange) == []
        await end_of(exchange.call)
    assert len(server.calls) == 0


class Others(Alone):
    """Other processes, and what they were told."""

    def __init__(self) -> None:
        self.told: list[Announced] = []
        self.attended = 0

    def announce(self, change: Announced) -> None:
        self.told.append(change)

    def attend(self) -> None:
        self.attended += 1


async def test_changes_are_told_here_and_to_the_others_once() -> None:
    others = Others()
    told: list[Change] = []
    server = serving(signals=others)
    assert others.attended == 0
    server.changes.subscribe(told.append)
    assert others.attended == 1
    mine, theirs = ResourceUpdated("doc://mine"), ResourceUpdated("doc://theirs")
    server.announce(mine)
    # What was heard of another process was told to all by that one.
    assert server.hear(theirs) is True
    assert (others.told, told) == ([mine], [mine, theirs])


async def test_lists_that_every_process_reads_by_itself_are_told_by_each() -> None:
    server = serving()
    told: list[Change] = []
    server.changes.subscribe(told.append)
    assert server.hear(ListChanged("tools", 7)) is True
    assert told == []
    server.hear(ListChanged("tools"))
    assert told == [ListChanged("tools")]


async def test_a_catalogue_is_renewed_where_another_process_changed_it() -> None:
    class Renewed(Shelf):
        times = 0

        def renew(self) -> None:
            self.times += 1

    shelf = Renewed()
    server = serving(shelf)
    assert server.hear(CatalogueChanged()) is True
    assert shelf.times == 1


async def test_whoever_is_served_makes_a_server_hear_the_others() -> None:
    others = Others()
    server = serving(signals=others)
    opened(server, "ping", revision=LATEST_STATEFUL)
    opened(server, "ping", revision=LATEST_STATEFUL)
    assert others.attended == 1
