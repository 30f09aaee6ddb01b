"""What every store of sessions does, whatever it keeps them in.

A session that was got twice stands for two requests, perhaps in two processes.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.eventlog import STANDING, Gone
from mcp_transport.engine.session import Claimed, Session
from mcp_transport.engine.store import Store
from mcp_transport.protocol.lifecycle import Phase
from mcp_transport.protocol.peer import Peer
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import LATEST_STATEFUL, PLAIN, STATEFUL
from tests.stores.conftest import StoreOf

MINE, THEIRS = Caller("mine"), Caller("theirs")
PEER = Peer(
    LATEST_STATEFUL,
    {"elicitation": {"form": {}}, "roots": {}},
    {"name": "client \u00e9", "version": "1"},
    "info",
)
# Longer than a store's clock needs to tell two moments apart.
A_MOMENT_S = 0.005


async def added(store: Store, caller: Caller = MINE) -> Session:
    session = Session.new(caller)
    session.peer, session.phase = PEER, Phase.READY
    await store.sessions.add(session)
    return session


async def got(store: Store, session: Session, **options: Any) -> Session:
    found = await store.sessions.get(session.id, session.subject, **options)
    assert found is not None
    return found


def facts(peer: Peer | None) -> tuple[Any, ...]:
    assert peer is not None
    return peer.revision.name, peer.capabilities, peer.info, peer.log_level


async def kept(store: Store, *sessions: Session) -> list[bool]:
    """Tell which sessions are there; each look is a use of them."""
    found = [await store.sessions.get(s.id, s.subject) for s in sessions]
    return [session is not None for session in found]


async def test_a_session_is_found_by_its_id_and_its_owner(store: Store) -> None:
    session = await added(store)
    assert (await got(store, session)).id == session.id
    for id, subject in (
        (session.id, "theirs"),
        (session.id, ""),
        (session.id + "x", "mine"),
        (session.id[:-1], "mine"),
        ("", "mine"),
    ):
        assert await store.sessions.get(id, subject) is None


@pytest.mark.parametrize("revision", [*STATEFUL.values(), PLAIN])
async def test_all_that_is_known_of_a_client_is_kept(
    store: Store, revision: Revision
) -> None:
    session = Session.new(MINE)
    session.peer = replace(PEER, revision=revision)
    session.phase = Phase.INITIALIZED
    session.subscriptions = {"doc://one", "doc://\u00e9 :", ""}
    await store.sessions.add(session)
    await store.sessions.save(session)
    found = await got(store, session)
    assert (found.id, found.subject) == (session.id, "mine")
    assert facts(found.peer) == facts(session.peer)
    assert found.peer is not None
    assert found.peer.revision is revision
    assert found.phase is Phase.INITIALIZED
    assert found.subscriptions == {"doc://one", "doc://\u00e9 :", ""}


async def test_a_session_may_begin_before_anything_is_known(store: Store) -> None:
    session = Session.new(MINE)
    await store.sessions.add(session)
    found = await got(store, session)
    assert (found.peer, found.phase, found.subscriptions) == (None, Phase.NEW, set())


async def test_a_session_that_is_there_stays(store: Store) -> None:
    first = Session("named", "mine", PEER, Phase.READY)
    second = Session("named", "mine", replace(PEER, log_level="alert"), Phase.READY)
    await store.sessions.add(first)
    await store.sessions.add(second)
    assert facts((await got(store, first)).peer) == facts(PEER)


async def test_a_removed_session_is_gone_and_the_others_are_not(store: Store) -> None:
    one, other = await added(store), await added(store)
    for session in (one, other):
        await store.events.write(session.id, "a")
    await store.sessions.remove(one.id)
    await store.sessions.remove(one.id)
    await store.sessions.remove("unknown")
    assert await kept(store, one, other) == [False, True]
    for stream in ("a", STANDING):
        with pytest.raises(Gone):
            await store.events.read(one.id, stream)
        assert not await store.events.is_read(one.id, stream)
    assert await (await store.events.read(other.id, "a")).read() == ([], False)


async def test_what_was_removed_cannot_be_saved_again(store: Store) -> None:
    session = await added(store)
    copy = await got(store, session)
    await store.sessions.remove(session.id)
    copy.subscriptions.add("doc://one")
    await store.sessions.save(copy)
    assert await kept(store, session) == [False]


# The cap of a caller.


async def test_at_a_callers_cap_the_longest_idle_makes_room(store_of: StoreOf) -> None:
    store = await store_of(max_sessions=3)
    own = []
    for _ in range(3):
        own.append(await added(store))
        await asyncio.sleep(A_MOMENT_S)
    stranger = await added(store, THEIRS)
    await got(store, own[0])
    await asyncio.sleep(A_MOMENT_S)
    new = await added(store)
    assert await kept(store, *own, new, stranger) == [True, False, True, True, True]


async def test_what_makes_room_takes_its_streams_with_it(store_of: StoreOf) -> None:
    store = await store_of(max_sessions=1)
    first = await added(store)
    await store.events.write(first.id, "a")
    reader = await store.events.read(first.id, STANDING)
    last = await added(store)
    assert await kept(store, first, last) == [False, True]
    with pytest.raises(Gone):
        await store.events.read(first.id, "a")
    with pytest.raises(Gone):
        await reader.read()


async def test_a_flood_of_sessions_keeps_to_its_cap(store_of: StoreOf) -> None:
    store = await store_of(max_sessions=5)
    stranger = await added(store, THEIRS)
    flood = [await added(store) for _ in range(50)]
    assert sum(await kept(store, *flood)) == 5
    assert await kept(store, stranger) == [True]


async def test_a_caller_whose_sessions_ended_may_have_new_ones(
    store_of: StoreOf,
) -> None:
    store = await store_of(max_sessions=2)
    for _ in range(3):
        session = await added(store)
        await store.sessions.remove(session.id)
    two = [await added(store) for _ in range(2)]
    assert await kept(store, *two) == [True, True]


# Claims.


async def test_an_id_can_be_claimed_once_in_a_session(store: Store) -> None:
    one, other = await added(store), await added(store)
    for id in ("a", 1, "1", "", 0, "\u00e9 x"):
        await got(store, one, claims=[id])
        with pytest.raises(Claimed) as raised:
            await got(store, one, claims=[id])
        assert raised.value.request_id == id
        assert type(raised.value.request_id) is type(id)
    assert await kept(store, one) == [True]
    await got(store, other, claims=["a", 1])


async def test_several_are_claimed_together_or_not_at_all(store: Store) -> None:
    session = await added(store)
    await got(store, session, claims=["a"])
    for together in (["b", "a", "c"], ["b", "c", "b"]):
        with pytest.raises(Claimed) as raised:
            await got(store, session, claims=together)
        assert raised.value.request_id == ("a" if "a" in together else "b")
    await got(store, session, claims=["c", "b"])


async def test_nobody_claims_for_another(store: Store) -> None:
    session = await added(store)
    assert await store.sessions.get(session.id, "theirs", ["a"]) is None
    await got(store, session, claims=["a"])


async def test_of_many_who_claim_at_once_one_succeeds(store: Store) -> None:
    session = await added(store)

    async def claim() -> bool:
        try:
            await got(store, session, claims=["a"])
        except Claimed:
            return False
        return True

    assert sum(await asyncio.gather(*[claim() for _ in range(20)])) == 1


# What two requests change at the same time.


async def test_two_requests_subscribe_beside_each_other(store: Store) -> None:
    session = await added(store)
    session.subscriptions.add("doc://old")
    await store.sessions.save(session)
    one, other = await got(store, session), await got(store, session)
    one.subscriptions.add("doc://one")
    other.subscriptions.add("doc://other")
    other.subscriptions.discard("doc://old")
    await store.sessions.save(one)
    await store.sessions.save(other)
    found = await got(store, session)
    assert found.subscriptions == {"doc://one", "doc://other"}


async def test_a_request_takes_back_nothing_that_it_did_not_change(
    store: Store,
) -> None:
    session = Session.new(MINE)
    session.peer, session.phase = PEER, Phase.INITIALIZED
    await store.sessions.add(session)
    level, ready, slow = [await got(store, session) for _ in range(3)]
    assert level.peer is not None
    level.peer = replace(level.peer, log_level="alert")
    await store.sessions.save(level)
    ready.initialized()
    await store.sessions.save(ready)
    slow.subscriptions.add("doc://one")
    await store.sessions.save(slow)
    found = await got(store, session)
    assert facts(found.peer) == facts(replace(PEER, log_level="alert"))
    assert found.phase is Phase.READY
    assert found.subscriptions == {"doc://one"}


async def test_what_is_saved_twice_is_saved_once(store: Store) -> None:
    session = await added(store)
    copy = await got(store, session)
    copy.subscriptions.add("doc://one")
    await store.sessions.save(copy)
    await store.sessions.save(copy)
    assert (await got(store, session)).subscriptions == {"doc://one"}


async def test_sessions_are_counted_until_they_end(store: Store) -> None:
    assert await asyncio.to_thread(store.sessions.count) == 0
    first, _ = await added(store), await added(store, THEIRS)
    assert await asyncio.to_thread(store.sessions.count) == 2
    await store.sessions.remove(first.id)
    assert await asyncio.to_thread(store.sessions.count) == 1


async def test_who_was_idle_for_too_long_is_not_counted(store_of: StoreOf) -> None:
    store = await store_of(session_idle_s=0.05)
    await added(store)
    await asyncio.sleep(0.05 + A_MOMENT_S)
    assert await asyncio.to_thread(store.sessions.count) == 0
