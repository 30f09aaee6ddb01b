from __future__ import annotations

import asyncio
import contextvars
from typing import Any

import pytest

from mcp_transport.engine import eager
from tests.engine.exchanges import PATIENCE_S

colour: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")


async def finished(task: asyncio.Task[None] | None) -> None:
    """Wait for a task that is to end, however it ends."""
    assert task is not None
    done, _ = await asyncio.wait([task], timeout=PATIENCE_S)
    assert done == {task}


async def test_what_does_not_wait_is_done_at_once_and_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    outcome = []

    async def work() -> None:
        outcome.append("done")

    assert eager.start(work()) is None
    assert outcome == ["done"]
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_what_waits_goes_on_in_a_task() -> None:
    steps = []
    door: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        steps.append("begun")
        steps.append(await door)
        await asyncio.sleep(0)
        steps.append("ended")

    task = eager.start(work())
    assert steps == ["begun"]
    door.set_result("opened")
    await finished(task)
    assert steps == ["begun", "opened", "ended"]


async def test_a_bare_turn_of_the_loop_is_a_wait() -> None:
    steps = []

    async def work() -> None:
        await asyncio.sleep(0)
        steps.append("ended")

    task = eager.start(work())
    assert steps == []
    await finished(task)
    assert steps == ["ended"]


async def test_the_task_is_the_current_one_before_and_after_its_first_wait() -> None:
    outer = asyncio.current_task()
    seen = []

    async def work() -> None:
        seen.append(asyncio.current_task())
        await asyncio.sleep(0)
        seen.append(asyncio.current_task())

    task = eager.start(work())
    assert asyncio.current_task() is outer
    await finished(task)
    assert seen == [task, task]
    assert task is not outer


async def test_it_starts_where_no_task_is_current() -> None:
    loop = asyncio.get_running_loop()
    seen: asyncio.Future[Any] = loop.create_future()

    async def work() -> None:
        await asyncio.sleep(0)

    def callback() -> None:
        task = eager.start(work())
        seen.set_result((task, asyncio.current_task()))

    loop.call_soon(callback)
    task, current = await seen
    assert current is None
    await finished(task)


async def test_one_may_start_within_the_first_step_of_another() -> None:
    seen = []

    async def inner() -> None:
        seen.append(asyncio.current_task())
        await asyncio.sleep(0)
        seen.append(asyncio.current_task())

    async def work() -> None:
        mine = asyncio.current_task()
        task = eager.start(inner())
        assert asyncio.current_task() is mine
        await finished(task)
        assert seen == [task, task]

    task = eager.start(work())
    await finished(task)
    assert task is not None
    assert task.exception() is None


async def test_a_timeout_that_begins_before_the_first_wait_ends_it() -> None:
    seen = []

    async def work() -> None:
        try:
            async with asyncio.timeout(0.001):
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            seen.append("late")
        task = asyncio.current_task()
        assert task is not None
        seen.append(str(task.cancelling()))

    await finished(eager.start(work()))
    assert seen == ["late", "0"]


async def test_a_timeout_that_has_passed_already_ends_the_first_wait() -> None:
    seen = []

    async def work() -> None:
        try:
            async with asyncio.timeout(-1):
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            seen.append("late")

    await finished(eager.start(work()))
    assert seen == ["late"]


async def test_a_task_group_that_begins_before_the_first_wait_holds() -> None:
    seen = []

    async def child(name: str) -> None:
        await asyncio.sleep(0)
        seen.append(name)

    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(child("a"))
            group.create_task(child("b"))
        seen.append("both")

    await finished(eager.start(work()))
    assert seen == ["a", "b", "both"]


async def test_a_failure_in_a_task_group_ends_its_other_tasks() -> None:
    seen: list[object] = []

    async def fail() -> None:
        raise ValueError("no")

    async def wait() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def work() -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(wait())
                group.create_task(fail())
        except* ValueError as caught:
            seen.append([str(error) for error in caught.exceptions])

    await finished(eager.start(work()))
    assert seen == ["cancelled", ["no"]]


async def test_a_future_that_is_done_before_the_first_turn_is_heard() -> None:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[int] = loop.create_future()
    failure: asyncio.Future[int] = loop.create_future()
    seen: list[object] = []

    async def wait(future: asyncio.Future[int]) -> None:
        try:
            seen.append(await future)
        except ValueError as error:
            seen.append(str(error))

    one, other = eager.start(wait(answer)), eager.start(wait(failure))
    answer.set_result(5)
    failure.set_exception(ValueError("no"))
    await finished(one)
    await finished(other)
    assert seen == [5, "no"]


async def test_an_exception_after_the_first_wait_is_the_tasks() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    task = eager.start(work())
    await finished(task)
    assert task is not None
    assert isinstance(task.exception(), ValueError)


@pytest.mark.parametrize("turns", [0, 1, 2])
async def test_a_cancel_ends_the_wait_however_early_it_comes(turns: int) -> None:
    seen = []

    async def work() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            seen.append("cleaned up")

    task = eager.start(work())
    assert task is not None
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await finished(task)
    assert task.cancelled()
    assert seen == ["cleaned up"]


async def test_a_cancel_before_the_first_turn_reaches_a_bare_turn() -> None:
    seen = []

    async def work() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            seen.append("cleaned up")

    task = eager.start(work())
    assert task is not None
    task.cancel()
    await finished(task)
    assert task.cancelled()
    assert seen == ["cleaned up"]


@pytest.mark.parametrize("turns", [0, 1, 2])
async def test_a_cancel_reaches_what_is_waited_for(turns: int) -> None:
    inner: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    group: list[asyncio.Task[None]] = []

    async def child() -> None:
        await inner

    async def work() -> None:
        group.append(asyncio.create_task(child()))
        await group[0]

    task = eager.start(work())
    assert task is not None
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await finished(task)
    assert task.cancelled()
    assert group[0].cancelled()


@pytest.mark.parametrize("turns", [0, 1])
async def test_a_cancel_that_is_caught_leaves_the_task_running(turns: int) -> None:
    seen = []

    async def work() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            seen.append("caught")
        await asyncio.sleep(0)
        seen.append("ended")

    task = eager.start(work())
    assert task is not None
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await finished(task)
    assert not task.cancelled()
    assert seen == ["caught", "ended"]


async def test_its_context_is_a_copy_that_lasts_over_the_first_wait() -> None:
    seen = []
    token = colour.set("outer")

    async def work() -> None:
        seen.append(colour.get())
        colour.set("inner")
        await asyncio.sleep(0)
        seen.append(colour.get())

    try:
        task = eager.start(work())
        assert colour.get() == "outer"
        await finished(task)
        assert colour.get() == "outer"
    finally:
        colour.reset(token)
    assert seen == ["outer", "inner"]


async def test_a_task_that_ended_at_once_outlives_the_end_of_its_loop() -> None:
    """The loop may cancel what it never came to run."""

    async def at_once() -> None:
        return

    async def main() -> None:
        eager.start(at_once())

    await asyncio.to_thread(lambda: asyncio.run(main()))


# The step alone, whose rest is awaited by whoever took it.


async def test_the_rest_of_a_step_is_awaited_in_the_same_task() -> None:
    seen = []

    async def work() -> None:
        seen.append(asyncio.current_task())
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.sleep(0)
        seen.append(asyncio.current_task())

    started = eager.Started(work())
    started.step()
    assert started.ended is False
    await started
    assert seen == [asyncio.current_task()] * 2


async def test_a_step_that_was_the_last_leaves_nothing_to_await() -> None:
    async def work() -> None:
        return

    started = eager.Started(work())
    started.step()
    assert started.ended is True
    await started


async def test_what_a_step_raises_is_raised_by_it() -> None:
    async def work() -> None:
        raise ValueError("no")

    started = eager.Started(work())
    with pytest.raises(ValueError, match="no"):
        started.step()
    assert started.ended is True


async def test_what_the_rest_raises_is_raised_where_it_is_awaited() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    started = eager.Started(work())
    started.step()
    with pytest.raises(ValueError, match="no"):
        await started


async def test_a_cancel_of_the_awaiting_task_reaches_the_rest() -> None:
    seen = []

    async def work() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            seen.append("cleaned up")

    async def awaiting() -> None:
        started = eager.Started(work())
        started.step()
        await started

    task = asyncio.create_task(awaiting())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cleaned up"]


async def test_what_is_not_awaited_can_be_closed() -> None:
    seen = []

    async def work() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            seen.append("cleaned up")

    started = eager.Started(work())
    started.step()
    started.close()
    assert seen == ["cleaned up"]
