"""Several processes over one Redis: each store here is as one process has it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from redis.asyncio import Redis as Client

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.changes import ListChanged, ResourceUpdated
from mcp_transport.engine.eventlog import STANDING, Gone, Position, Reader
from mcp_transport.engine.session import Session
from mcp_transport.engine.signals import (
    Answered,
    Cancelled,
    CatalogueChanged,
    Ended,
    Signal,
)
from mcp_transport.protocol.lifecycle import Phase
from mcp_transport.protocol.messages import Response
from mcp_transport.stores.redis import RedisStore, hints, pulse
from tests.stores.redis.conftest import Opened

PATIENCE_S = 20
ME = Caller("me")


async def session_in(store: RedisStore) -> Session:
    session = Session.new(ME)
    session.phase = Phase.READY
    await store.sessions.add(session)
    return session


async def heard(reader: Reader, count: int) -> list[bytes]:
    """Read until there are ``count`` events; raises TimeoutError, and Gone."""
    found: list[bytes] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < count:
            events, _ = await reader.read()
            found += [event.data for event in events]
            if not events:
                await reader.wait(PATIENCE_S)
    return found


async def becomes(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.01)


@pytest.fixture(params=["hints", "no hints"])
def _hints(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "no hints":
        monkeypatch.setattr(hints, "channel_layer", lambda place: Deaf())


class Deaf:
    """A channel layer that loses every message."""

    async def new_channel(self) -> str:
        return "nobody"

    async def group_add(self, group: str, channel: str) -> None:
        """Nothing will come."""

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """It is lost."""

    async def receive(self, channel: str) -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def flush(self) -> None:
        """There is nothing to let go of."""


@pytest.mark.usefixtures("_hints")
async def test_what_one_process_writes_another_reads(opened: Opened) -> None:
    one, other = opened(), opened()
    session = await session_in(one)
    writer = await one.events.write(session.id, "q")
    reader = await other.events.read(session.id, "q", writer.start)
    await writer.append([b"a", b"b"])
    assert await heard(reader, 2) == [b"a", b"b"]
    waiting = asyncio.create_task(heard(reader, 1))
    await asyncio.sleep(0.05)
    await writer.append([b"c"])
    assert await waiting == [b"c"]
    await writer.close()
    async with asyncio.timeout(PATIENCE_S):
        while not (await reader.read())[1]:
            await reader.wait(PATIENCE_S)


@pytest.mark.usefixtures("_hints")
async def test_a_writer_waits_for_a_reader_in_another_process(opened: Opened) -> None:
    one, other = opened(replay_events=3), opened()
    session = await session_in(one)
    writer = await one.events.write(session.id, "q")
    reader = await other.events.read(session.id, "q", writer.start)
    messages = [b"%d" % n for n in range(12)]
    writing = asyncio.create_task(writer.append(messages))
    assert await heard(reader, 12) == messages
    async with asyncio.timeout(PATIENCE_S):
        await writing


@pytest.mark.usefixtures("_hints")
async def test_changes_reach_every_session_once_and_in_order(opened: Opened) -> None:
    one, other, third = opened(), opened(), opened()
    told: list[Any] = []
    other.signals.listen(told.append)
    session = await session_in(one)
    copy = await other.sessions.get(session.id, "me")
    assert copy is not None
    copy.subscriptions.add("a:1")
    await other.sessions.save(copy)
    reader = await third.events.read(session.id, STANDING)
    for number in range(20):
        one.signals.announce(ResourceUpdated("a:1" if number % 2 else "a:2"))
        other.signals.announce(ListChanged("tools"))
    found = [json.loads(data)["method"] for data in await heard(reader, 30)]
    assert found.count("notifications/tools/list_changed") == 20
    await asyncio.sleep(0.5)
    assert (await reader.read())[0] == []
    assert [c for c in told if c == ResourceUpdated("a:1")] != []
    assert ListChanged("tools") not in told  # its own


@pytest.mark.usefixtures("_hints")
async def test_what_every_process_announces_alike_is_told_once(opened: Opened) -> None:
    one, other = opened(), opened()
    session, _ = await session_in(one), await session_in(other)
    reader = await other.events.read(session.id, STANDING)
    for number in (1, 2):
        for store in (one, other):
            store.signals.announce(ListChanged("tools", number))
    other.signals.announce(ListChanged("prompts", 2))
    # Behind all of them, told by whoever is the last.
    await heard(reader, 3)
    await asyncio.sleep(0.5)
    one.signals.announce(ListChanged("resources"))
    (last,) = await heard(reader, 1)
    assert json.loads(last)["method"] == "notifications/resources/list_changed"


@pytest.mark.usefixtures("_hints")
async def test_others_hear_that_the_catalogue_is_to_be_read(opened: Opened) -> None:
    serving, other, command = opened(), opened(), opened()
    told: list[Any] = []
    serving.signals.listen(told.append)
    await session_in(serving)
    await session_in(other)
    other.signals.announce(CatalogueChanged())
    await becomes(lambda: told == [CatalogueChanged()])
    await asyncio.to_thread(command.signals.announce, CatalogueChanged())
    await becomes(lambda: told == [CatalogueChanged()] * 2)


@pytest.mark.usefixtures("_hints")
async def test_a_process_that_serves_nobody_can_announce(opened: Opened) -> None:
    serving, command = opened(), opened()
    told: list[Any] = []
    serving.signals.listen(told.append)
    session = await session_in(serving)
    reader = await serving.events.read(session.id, STANDING)
    await asyncio.to_thread(command.signals.announce, ListChanged("prompts"))
    (message,) = await heard(reader, 1)
    assert json.loads(message)["method"] == "notifications/prompts/list_changed"
    assert told == [ListChanged("prompts")]


@pytest.mark.usefixtures("_hints")
async def test_signals_reach_the_others_and_not_oneself(opened: Opened) -> None:
    one, other = opened(), opened()
    mine: list[Any] = []
    theirs: list[Any] = []
    one.signals.listen(mine.append)
    other.signals.listen(theirs.append)
    await session_in(other)  # both have begun
    deep: Any = "end"
    for _ in range(62):
        deep = [deep]
    signals: list[Signal] = [
        Cancelled("s", 1),
        Cancelled("s", "1"),
        Answered("s", Response("q", {"deep": deep}, None)),
        Answered("s", Response("q", None, {"code": -1, "message": "no"})),
        Ended("s"),
    ]
    for signal in signals:
        await one.signals.send(signal)
    await becomes(lambda: len(theirs) == len(signals))
    assert theirs == signals
    assert mine == []


async def test_who_only_attends_hears_of_changes(opened: Opened) -> None:
    """Such as a process whose only clients are WebSockets."""
    one, other = opened(), opened()
    told: list[Any] = []
    other.signals.listen(told.append)
    other.signals.attend()
    other.signals.attend()
    await session_in(one)
    await becomes(lambda: other.pulse.attends)
    one.signals.announce(ListChanged("tools"))
    await becomes(lambda: told == [ListChanged("tools")])


async def test_what_a_dead_process_owes_is_answered_with_an_error(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "SILENT_MS", 1500)
    monkeypatch.setattr(pulse, "SILENT_UNDER_OUR_EYES_S", 0.5)
    dying, other = opened(), opened()
    session = await session_in(dying)
    writer = await dying.events.write(session.id, "q", [7, "eight", 9])
    standing = await dying.events.write(session.id, STANDING, [10])
    await writer.append([b'{"id":9}'], [9])
    reader = await other.events.read(session.id, "q", writer.start)
    await dying.close()
    messages = [json.loads(data) for data in await heard(reader, 3)]
    assert messages[0] == {"id": 9}
    assert {m["id"] for m in messages[1:]} == {7, "eight"}
    assert {m["error"]["code"] for m in messages[1:]} == {-32603}
    assert (await reader.read())[1] is True
    # Whoever comes later is told as well.
    late = await other.events.read(session.id, STANDING)
    assert [json.loads(m)["id"] for m in await heard(late, 1)] == [10]
    assert standing.start.epoch == late.position.epoch
    # The process was not dead, only silent: nothing of it counts any more.
    await writer.append([b'{"id":7}'], [7])
    again = await other.events.read(session.id, "q", writer.start)
    assert len(await heard(again, 3)) == 3
    assert (await again.read()) == ([], True)
    await dying.close()


async def test_a_process_that_was_silent_with_redis_is_not_buried(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "SILENT_MS", 300)  # all seem silent all the time
    monkeypatch.setattr(pulse, "SILENT_UNDER_OUR_EYES_S", 3600)
    one, other = opened(), opened()
    session = await session_in(one)
    writer = await one.events.write(session.id, "q", [7])
    reader = await other.events.read(session.id, "q", writer.start)
    await asyncio.sleep(1.2)
    assert (await reader.read()) == ([], False)
    await writer.append([b"alive"], [7])
    assert await heard(reader, 1) == [b"alive"]


async def test_events_that_redis_lost_are_seen_to_be_missing(
    opened: Opened, client: Client
) -> None:
    store = opened()
    session = await session_in(store)
    writer = await store.events.write(session.id, "q")
    await writer.append([b"a", b"b"])
    state = f"{store.place.prefix}:session:{session.id}:state:q"
    # As after a power cut: what was taken last is not there.
    await client.hincrby(state, f"written {store.pulse.process}", -1)
    reader = await store.events.read(session.id, "q", writer.start)
    assert len(await heard(reader, 2)) == 2
    await writer.append([b"c"])
    with pytest.raises(Gone):
        await reader.read()
    with pytest.raises(Gone):
        await store.events.read(session.id, "q", writer.start)


async def test_a_redis_that_was_emptied_has_no_sessions(
    opened: Opened, client: Client
) -> None:
    store = opened()
    session = await session_in(store)
    writer = await store.events.write(session.id, "q")
    reader = await store.events.read(session.id, "q", writer.start)
    standing = await store.events.read(session.id, STANDING)
    await client.flushdb()
    assert await store.sessions.get(session.id, "me") is None
    await writer.append([b"lost"])
    for each in (reader, standing):
        with pytest.raises(Gone):
            await each.read()
    with pytest.raises(Gone):
        await store.events.read(session.id, STANDING, Position(STANDING, "ab", 0))
    with pytest.raises(Gone):
        await store.events.read(session.id, STANDING)


async def test_an_ended_session_leaves_nothing_behind(
    opened: Opened, client: Client
) -> None:
    store = opened()
    session = await session_in(store)
    copy = await store.sessions.get(session.id, "me", [1, 2])
    assert copy is not None
    copy.subscriptions.add("a:b")
    await store.sessions.save(copy)
    for stream in ("q", STANDING):
        writer = await store.events.write(session.id, stream, [1])
        await writer.append([b"x"])
    await store.sessions.remove(session.id)
    names: list[Any] = await client.keys(f"{store.place.prefix}:*")
    left = {name.decode().partition(":")[2] for name in names}
    assert left <= {"processes", f"dirty:{store.pulse.process}"}


async def test_names_of_streams_that_are_over_do_not_pile_up(
    opened: Opened, client: Client
) -> None:
    store = opened(replay_age_s=0.02)
    session = await session_in(store)
    for number in range(60):
        writer = await store.events.write(session.id, f"q{number}")
        await writer.close()
        await asyncio.sleep(0.01)
    names = f"{store.place.prefix}:session:{session.id}:streams"
    assert await client.scard(names) < 30
