"""How a change reaches the sessions that want to know, whatever keeps them.

Spec: 2025-11-25 server/resources #subscriptions, server/tools
#list-changed-notification.
"""

from __future__ import annotations

import asyncio
import threading

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.changes import Change, ListChanged, ResourceUpdated
from mcp_transport.engine.eventlog import STANDING, Reader
from mcp_transport.engine.session import Session
from mcp_transport.engine.signals import (
    Announced,
    Cancelled,
    CatalogueChanged,
    Ended,
    Signal,
)
from mcp_transport.engine.store import Store
from mcp_transport.protocol.lifecycle import Phase
from mcp_transport.protocol.messages import encode_notification
from mcp_transport.protocol.peer import Peer
from mcp_transport.protocol.revisions import LATEST_STATEFUL
from tests.engine.exchanges import PATIENCE_S
from tests.stores.conftest import StoreOf

TOOLS, PROMPTS = ListChanged("tools"), ListChanged("prompts")
ONE, OTHER = ResourceUpdated("doc://one"), ResourceUpdated("doc://other")
# The last that is told in each test: what was to be heard was heard by then.
END = ListChanged("resources")


async def session(
    store: Store, *subscriptions: str, phase: Phase = Phase.READY
) -> Session:
    made = Session.new(Caller("mine"))
    made.peer, made.phase = Peer(LATEST_STATEFUL), phase
    await store.sessions.add(made)
    made.subscriptions |= set(subscriptions)
    await store.sessions.save(made)
    return made


def said(*changes: Change) -> list[bytes]:
    return [encode_notification(*change.notification) for change in changes]


async def heard(reader: Reader) -> list[bytes]:
    """Return what came on a stream up to the end."""
    found: list[bytes] = []
    async with asyncio.timeout(PATIENCE_S):
        while said(END)[0] not in found:
            events, _ = await reader.read()
            found += [event.data for event in events]
            if not events:
                await reader.wait(PATIENCE_S)
    return found[:-1]


async def standing(store: Store, session: Session) -> Reader:
    return await store.events.read(session.id, STANDING)


async def test_each_session_hears_what_it_wants_in_order(store: Store) -> None:
    nothing, one = await session(store), await session(store, "doc://one")
    both = await session(store, "doc://one", "doc://other")
    readers = [await standing(store, each) for each in (nothing, one, both)]
    for change in (ONE, TOOLS, OTHER, PROMPTS, TOOLS, ONE, END):
        store.signals.announce(change)
    assert [await heard(reader) for reader in readers] == [
        said(TOOLS, PROMPTS, TOOLS),
        said(ONE, TOOLS, PROMPTS, TOOLS, ONE),
        said(ONE, TOOLS, OTHER, PROMPTS, TOOLS, ONE),
    ]


async def test_many_changes_at_once_are_all_told_in_order(store: Store) -> None:
    uris = [f"doc://{number}" for number in range(50)]
    reader = await standing(store, await session(store, *uris))
    changes = [ResourceUpdated(uri) for uri in uris]
    for change in changes:
        store.signals.announce(change)
    store.signals.announce(END)
    assert await heard(reader) == said(*changes)


async def test_who_is_not_ready_hears_nothing(store: Store) -> None:
    early = await session(store, "doc://one", phase=Phase.INITIALIZED)
    for change in (TOOLS, ONE):
        store.signals.announce(change)
    witness = await standing(store, await session(store))
    store.signals.announce(PROMPTS)
    store.signals.announce(END)
    await heard(witness)
    early.initialized()
    await store.sessions.save(early)
    store.signals.announce(END)
    assert await heard(await standing(store, early)) == []


async def test_what_nobody_reads_is_kept_for_who_comes(store: Store) -> None:
    late = await session(store)
    for change in (TOOLS, PROMPTS, END):
        store.signals.announce(change)
    assert await heard(await standing(store, late)) == said(TOOLS, PROMPTS)


async def test_who_missed_much_reads_the_end(store_of: StoreOf) -> None:
    """Nobody who tells a change waits for those who are told."""
    store = await store_of(replay_events=3)
    slow, quick = await session(store), await session(store)
    await standing(store, slow)
    reader = await standing(store, quick)
    for _ in range(10):
        store.signals.announce(TOOLS)
        store.signals.announce(END)
        assert await heard(reader) == said(TOOLS)


async def test_what_ended_is_told_no_more(store: Store) -> None:
    subscribed, gone = await session(store, "doc://one"), await session(store)
    await store.sessions.remove(gone.id)
    found = await store.sessions.get(subscribed.id, "mine")
    assert found is not None
    found.subscriptions.clear()
    await store.sessions.save(found)
    reader = await standing(store, subscribed)
    for change in (ONE, TOOLS, END):
        store.signals.announce(change)
    assert await heard(reader) == said(TOOLS)


async def test_a_change_may_be_told_from_any_thread(store: Store) -> None:
    reader = await standing(store, await session(store))

    def elsewhere() -> None:
        for change in (TOOLS, PROMPTS, END):
            store.signals.announce(change)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    assert await heard(reader) == said(TOOLS, PROMPTS)
    thread.join(PATIENCE_S)


async def test_a_process_does_not_hear_itself(store: Store) -> None:
    got: list[Signal | Announced] = []
    store.signals.listen(got.append)
    kept = await session(store)
    reader = await standing(store, kept)
    await store.signals.send(Cancelled(kept.id, 1))
    await store.signals.send(Ended("another"))
    for change in (TOOLS, CatalogueChanged(), END):
        store.signals.announce(change)
    assert await heard(reader) == said(TOOLS)
    assert got == []
