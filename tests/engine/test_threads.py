from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from mcp_transport.engine.threads import Threads
from tests.engine.exchanges import PATIENCE_S

colour: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")


@asynccontextmanager
async def one_thread() -> AsyncIterator[Threads]:
    threads = Threads(1)
    try:
        yield threads
    finally:
        threads.close()


@contextmanager
def gate() -> Iterator[tuple[threading.Event, threading.Event]]:
    """Give two events: set when a function began to run, to be set to end it."""
    began, may_end = threading.Event(), threading.Event()
    try:
        yield began, may_end
    finally:
        may_end.set()


async def happens(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, PATIENCE_S)


async def test_a_function_runs_on_a_thread_of_the_pool() -> None:
    async with one_thread() as threads:
        name = await threads(lambda: threading.current_thread().name)
    assert name.startswith("mcp-tool")


async def test_what_it_raises_is_raised_here() -> None:
    def fail() -> None:
        raise ValueError("no")

    async with one_thread() as threads:
        with pytest.raises(ValueError, match="no"):
            await threads(fail)


async def test_the_end_of_an_iterator_is_a_failure_and_no_endless_wait() -> None:
    async with one_thread() as threads, asyncio.timeout(PATIENCE_S):
        with pytest.raises(RuntimeError) as caught:
            await threads(lambda: next(iter(())))
    assert isinstance(caught.value.__cause__, StopIteration)


async def test_it_sees_a_copy_of_the_context() -> None:
    token = colour.set("caller")

    def look() -> str:
        seen = colour.get()
        colour.set("thread")
        return seen

    try:
        async with one_thread() as threads:
            assert [await threads(look), await threads(look)] == ["caller", "caller"]
        assert colour.get() == "caller"
    finally:
        colour.reset(token)


async def test_each_function_has_something_around_it_on_its_thread() -> None:
    seen: list[object] = []

    @contextmanager
    def around() -> Iterator[None]:
        seen.append(threading.current_thread().name)
        try:
            yield
        finally:
            seen.append("closed")

    def fail() -> None:
        seen.append("failed")
        raise ValueError

    threads = Threads(1, around)
    try:
        name = await threads(lambda: threading.current_thread().name)
        with pytest.raises(ValueError):
            await threads(fail)
    finally:
        threads.close()
    assert seen == [name, "closed", name, "failed", "closed"]


async def test_who_gives_up_is_free_at_once_and_the_thread_is_not() -> None:
    async with one_thread() as threads:
        with gate() as (began, may_end):

            def stuck() -> None:
                began.set()
                may_end.wait(PATIENCE_S)

            first = asyncio.create_task(threads(stuck))
            await happens(began)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            second = asyncio.create_task(threads(lambda: may_end.is_set()))
            # A pool with a free thread would have run it before it could end.
            for _ in range(100):
                await asyncio.sleep(0)
            assert not second.done()
            may_end.set()
            assert await second is True


async def test_what_was_given_up_before_it_had_a_thread_never_runs() -> None:
    ran = []
    async with one_thread() as threads:
        with gate() as (began, may_end):

            def stuck() -> None:
                began.set()
                may_end.wait(PATIENCE_S)

            first = asyncio.create_task(threads(stuck))
            await happens(began)
            waiting = asyncio.create_task(threads(lambda: ran.append("waiting")))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            may_end.set()
            await first
            await threads(lambda: ran.append("last"))
    assert ran == ["last"]


async def test_closing_lets_go_of_what_has_no_thread_yet() -> None:
    threads = Threads(1)
    with gate() as (began, may_end):

        def stuck() -> str:
            began.set()
            may_end.wait(PATIENCE_S)
            return "ended"

        first = asyncio.create_task(threads(stuck))
        await happens(began)
        waiting = asyncio.create_task(threads(lambda: "never"))
        await asyncio.sleep(0)
        threads.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        may_end.set()
        assert await first == "ended"
    with pytest.raises(RuntimeError, match="shutdown"):
        await threads(lambda: "too late")
