from __future__ import annotations

import asyncio
import threading

from mcp_transport.engine.changes import (
    Change,
    Changes,
    ListChanged,
    ResourceUpdated,
)
from tests.engine.exchanges import PATIENCE_S


async def test_every_listener_hears_every_change_in_order() -> None:
    changes = Changes()
    one: list[Change] = []
    other: list[Change] = []
    changes.subscribe(one.append)
    changes.subscribe(other.append)
    changes.publish(ListChanged("tools"))
    changes.publish(ResourceUpdated("order://1"))
    assert one == other == [ListChanged("tools"), ResourceUpdated("order://1")]


async def test_the_same_listener_twice_is_two() -> None:
    changes = Changes()
    heard: list[Change] = []
    stop = changes.subscribe(heard.append)
    changes.subscribe(heard.append)
    changes.publish(ListChanged("tools"))
    assert len(heard) == 2
    stop()
    changes.publish(ListChanged("tools"))
    assert len(heard) == 3


async def test_who_stopped_hears_no_more() -> None:
    changes = Changes()
    heard: list[Change] = []
    stop = changes.subscribe(heard.append)
    assert len(changes) == 1
    stop()
    stop()
    changes.publish(ListChanged("tools"))
    assert heard == []
    assert len(changes) == 0


async def test_a_listener_may_stop_while_it_is_told() -> None:
    changes = Changes()
    heard: list[str] = []

    def once(change: Change) -> None:
        heard.append("once")
        stop()

    stop = changes.subscribe(once)
    changes.subscribe(lambda change: heard.append("always"))
    changes.publish(ListChanged("tools"))
    changes.publish(ListChanged("tools"))
    assert heard == ["once", "always", "always"]


async def test_a_change_from_another_thread_arrives_on_the_listeners_loop() -> None:
    changes = Changes()
    heard: asyncio.Future[tuple[Change, str]] = (
        asyncio.get_running_loop().create_future()
    )
    here = threading.current_thread().name
    changes.subscribe(
        lambda change: heard.set_result((change, threading.current_thread().name))
    )
    await asyncio.to_thread(changes.publish, ListChanged("prompts"))
    async with asyncio.timeout(PATIENCE_S):
        assert await heard == (ListChanged("prompts"), here)


async def test_a_change_from_another_loop_arrives_on_the_listeners_loop() -> None:
    changes = Changes()
    loop = asyncio.get_running_loop()
    heard: asyncio.Future[object] = loop.create_future()
    changes.subscribe(lambda change: heard.set_result(asyncio.get_running_loop()))

    async def publish() -> None:
        changes.publish(ListChanged("tools"))

    await asyncio.to_thread(lambda: asyncio.run(publish()))
    async with asyncio.timeout(PATIENCE_S):
        assert await heard is loop


def test_a_listener_whose_loop_is_closed_is_forgotten() -> None:
    changes = Changes()

    async def listen() -> None:
        changes.subscribe(lambda change: None)

    asyncio.run(listen())
    assert len(changes) == 1
    changes.publish(ListChanged("tools"))
    assert len(changes) == 0


def test_without_a_loop_a_listener_is_told_at_once() -> None:
    changes = Changes()
    heard: list[Change] = []
    changes.subscribe(heard.append)
    changes.publish(ResourceUpdated("a:b"))
    assert heard == [ResourceUpdated("a:b")]
