from __future__ import annotations

import asyncio
import math
import weakref

import pytest

from mcp_transport.engine.calls import Call, Calls, told_to_end
from tests.engine.exchanges import PATIENCE_S, end_of

HOLDER = ("somebody", "calls")
KEY = ("session", 1)


class Waiting:
    """Work that waits until it is let go or cancelled; it says how it ended."""

    def __init__(self) -> None:
        self.door: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended = ""

    async def __call__(self) -> None:
        try:
            await self.door
            self.ended = "finished"
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            self.ended = "cancelled"
            raise


async def after_all_timers_of(timeout_s: float) -> None:
    """Wait until each timer that was due within ``timeout_s`` has gone off."""
    gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(timeout_s, gone.set_result, None)
    await gone
    await asyncio.sleep(0)


async def test_a_call_that_does_not_wait_is_never_held() -> None:
    calls, call = Calls(), Call()

    async def work() -> None:
        assert not calls.holds(KEY)

    calls.start(call, work(), KEY, HOLDER)
    assert len(calls) == 0
    assert not calls.holds(KEY)
    assert calls.cancel(KEY) is False


async def test_a_call_that_waits_is_held_until_it_ends() -> None:
    calls, call, work = Calls(), Call(), Waiting()
    calls.start(call, work(), KEY, HOLDER)
    assert len(calls) == 1
    assert calls.holds(KEY)
    work.door.set_result(None)
    await end_of(call)
    assert len(calls) == 0
    assert not calls.holds(KEY)
    assert work.ended == "finished"
    assert call.cancelled is False


async def test_a_call_without_a_key_is_held_as_well() -> None:
    calls, call, work = Calls(), Call(), Waiting()
    calls.start(call, work(), None, HOLDER)
    assert len(calls) == 1
    work.door.set_result(None)
    await end_of(call)
    assert len(calls) == 0


async def test_a_cancel_ends_the_call_that_has_the_key() -> None:
    calls, call, other = Calls(), Call(), Call()
    work, rest = Waiting(), Waiting()
    calls.start(call, work(), ("session", 1), HOLDER)
    calls.start(other, rest(), ("session", "1"), HOLDER)
    assert calls.cancel(("session", 2)) is False
    assert calls.cancel(("another", 1)) is False
    assert calls.cancel(("session", 1)) is True
    assert call.cancelled is True
    await end_of(call)
    assert len(calls) == 1
    assert calls.cancel(("session", 1)) is False
    assert (work.ended, rest.ended) == ("cancelled", "")
    assert other.cancelled is False
    calls.cancel(("session", "1"))
    await end_of(other)


async def test_the_calls_of_a_session_end_together() -> None:
    calls, works = Calls(), [Waiting() for _ in range(3)]
    held = [Call() for _ in works]
    for n, (call, work) in enumerate(zip(held, works, strict=True)):
        calls.start(call, work(), ("mine" if n < 2 else "theirs", n), HOLDER)
    calls.cancel_session("mine")
    await end_of(held[0])
    await end_of(held[1])
    assert len(calls) == 1
    assert [work.ended for work in works] == ["cancelled", "cancelled", ""]
    calls.cancel_session("theirs")
    await end_of(held[2])
    assert len(calls) == 0


async def test_a_deadline_set_before_the_first_wait_ends_the_call() -> None:
    calls, call, late = Calls(), Call(), []
    waiting = Waiting()

    async def work() -> None:
        call.deadline(0.001, lambda: late.append(call.cancelled))
        await waiting()

    calls.start(call, work(), KEY, HOLDER)
    await end_of(call)
    assert waiting.ended == "cancelled"
    # What is late is told first, so that the end can still be answered.
    assert late == [False]
    assert call.cancelled is True


async def test_a_deadline_set_while_the_call_waits_ends_it() -> None:
    calls, call, work, late = Calls(), Call(), Waiting(), []
    calls.start(call, work(), KEY, HOLDER)
    call.deadline(0.001, lambda: late.append(1))
    await end_of(call)
    assert work.ended == "cancelled"
    assert late == [1]


async def test_it_tells_how_long_it_has_left() -> None:
    calls, call, work = Calls(), Call(), Waiting()
    assert call.left_s == math.inf
    call.deadline(60, lambda: None)
    assert 0 < call.left_s <= 60
    call.pause()
    assert call.left_s == math.inf
    call.resume()
    assert 0 < call.left_s <= 60
    call.deadline(0.001, lambda: None)
    calls.start(call, work(), KEY, HOLDER)
    await end_of(call)
    assert call.left_s == 0


@pytest.mark.parametrize("early", [True, False])
async def test_a_paused_deadline_stands_still(early: bool) -> None:
    calls, call, late = Calls(), Call(), []
    waiting = Waiting()

    async def work() -> None:
        call.deadline(0.001, lambda: late.append(1))
        if not early:
            await asyncio.sleep(0)
        call.pause()
        await waiting.door
        call.resume()
        waiting.door = asyncio.get_running_loop().create_future()
        await waiting()

    calls.start(call, work(), KEY, HOLDER)
    await after_all_timers_of(0.002)
    assert late == []
    waiting.door.set_result(None)
    await end_of(call)
    assert waiting.ended == "cancelled"
    assert late == [1]


async def test_the_deadline_of_a_call_that_ended_never_comes() -> None:
    calls, call, work, late = Calls(), Call(), Waiting(), []
    calls.start(call, work(), KEY, HOLDER)
    call.deadline(0.001, lambda: late.append(1))
    work.door.set_result(None)
    await end_of(call)
    at_once = Call()
    at_once.deadline(0.001, lambda: late.append(2))

    async def nothing() -> None:
        return

    calls.start(at_once, nothing(), None, HOLDER)
    await after_all_timers_of(0.002)
    assert late == []


async def test_a_cancelled_call_is_not_late_as_well() -> None:
    calls, call, late = Calls(), Call(), []
    swallowed = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            await swallowed.wait()

    calls.start(call, work(), KEY, HOLDER)
    call.deadline(0.001, lambda: late.append(1))
    call.cancel()
    await after_all_timers_of(0.002)
    assert late == []
    swallowed.set()
    await end_of(call)


async def test_nothing_of_a_call_that_ended_is_kept_alive() -> None:
    class Answering:
        def late(self) -> None:
            raise AssertionError

    async def nothing() -> None:
        return

    calls, call, answering = Calls(), Call(), Answering()
    call.deadline(60, answering.late)
    calls.start(call, nothing(), KEY, HOLDER)
    gone = weakref.ref(answering)
    del answering
    assert gone() is None


async def test_who_waits_for_the_end_sees_the_clean_up_done() -> None:
    calls, call, work = Calls(), Call(), Waiting()
    await end_of(call)
    calls.start(call, work(), KEY, HOLDER)
    call.cancel()
    assert work.ended == ""
    await end_of(call)
    assert work.ended == "cancelled"


async def test_draining_waits_and_then_ends_the_rest() -> None:
    calls, quick, stuck = Calls(), Waiting(), Waiting()
    assert await calls.drain(PATIENCE_S) == 0
    calls.start(Call(), quick(), ("session", 1), HOLDER)
    calls.start(Call(), stuck(), ("session", 2), HOLDER)
    asyncio.get_running_loop().call_soon(quick.door.set_result, None)
    assert await calls.drain(0.001) == 1
    assert (quick.ended, stuck.ended) == ("finished", "cancelled")
    assert len(calls) == 0


async def test_draining_ends_as_soon_as_the_last_call_does() -> None:
    calls, work = Calls(), Waiting()
    calls.start(Call(), work(), KEY, HOLDER)
    asyncio.get_running_loop().call_soon(work.door.set_result, None)
    async with asyncio.timeout(PATIENCE_S):
        assert await calls.drain(PATIENCE_S * 100) == 0
    assert work.ended == "finished"


async def test_a_task_knows_whether_it_was_told_to_end() -> None:
    told = []

    async def work(door: asyncio.Future[None]) -> None:
        told.append(told_to_end())
        try:
            await door
        except asyncio.CancelledError:
            told.append(told_to_end())

    for whom in ("task", "what it waits for"):
        door: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(work(door))
        await asyncio.sleep(0)
        (task if whom == "task" else door).cancel()
        await task
    assert told == [False, True, False, False]


async def test_the_running_calls_of_each_are_counted() -> None:
    calls, others = Calls(), ("somebody else", "calls")
    released = asyncio.Event()

    async def work() -> None:
        await released.wait()

    first, second, other = Call(), Call(), Call()
    calls.start(first, work(), None, HOLDER)
    calls.start(second, work(), None, HOLDER)
    calls.start(other, work(), None, others)
    assert (calls.held(HOLDER), calls.held(others)) == (2, 1)
    second.cancel()
    await second.ended()
    assert (calls.held(HOLDER), calls.held(others)) == (1, 1)
    released.set()
    await first.ended()
    await other.ended()
    assert (calls.held(HOLDER), calls.held(others)) == (0, 0)
