"""The beat of a process, which takes what the others have said."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.stores.redis.conftest import Opened

PATIENCE_S = 20
CALLERS = 5


async def test_beats_do_not_overlap(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody misses what is said between two that ask from the same place."""
    store = opened()
    run = store.commands.run
    cursors: list[Any] = []
    under_way: list[str] = []
    again = asyncio.Event()

    async def slowly(name: str, *arguments: Any, **options: Any) -> Any:
        if name != "pulse":
            return await run(name, *arguments, **options)
        assert not under_way
        under_way.append(name)
        cursors.append(arguments[3])
        await asyncio.sleep(0.05)
        found = await run(name, *arguments, **options)
        under_way.clear()
        if len(cursors) == 3:
            again.set()
        return found

    monkeypatch.setattr(store.commands, "run", slowly)
    await asyncio.gather(*(store.pulse.start() for _ in range(CALLERS)))
    async with asyncio.timeout(PATIENCE_S):
        await again.wait()
    # Of those who came at first one asked, and whoever came later knew from where.
    assert cursors[0] == ""
    assert "" not in cursors[1:]
