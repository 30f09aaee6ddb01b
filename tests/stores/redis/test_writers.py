"""Several writers of one stream in one process, as the calls of a session are."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_transport import Caller
from mcp_transport.engine.eventlog import STANDING
from mcp_transport.engine.session import Session
from mcp_transport.stores.redis import RedisStore
from tests.stores.redis.conftest import Opened

PATIENCE_S = 20


async def write(store: RedisStore, session: Session, message: bytes) -> None:
    """Be there for one message."""
    writer = await store.events.write(session.id, STANDING)
    await writer.append([message])


async def test_one_may_come_while_another_says_its_last(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Redis said to the one who comes is old by the time that it is heard."""
    store = opened()
    session = Session.new(Caller("alice"))
    await store.sessions.add(session)
    run, asked = store.commands.run, asyncio.Event()

    async def slow(name: str, *args: Any, **options: Any) -> Any:
        reply = await run(name, *args, **options)
        if name == "write" and not asked.is_set():
            asked.set()
            await asyncio.sleep(0.2)
        return reply

    async with asyncio.timeout(PATIENCE_S):
        monkeypatch.setattr(store.commands, "run", slow)
        late = asyncio.create_task(write(store, session, b"late"))
        await asked.wait()
        await write(store, session, b"early")
        await late
        reader = await store.events.read(session.id, STANDING)
        events, _ = await reader.read()
        assert {event.data for event in events} == {b"early", b"late"}
        await reader.leave()
