"""The bounded pool of threads that plain (``def``) tools run on."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

T = TypeVar("T")


class Threads:
    """Run a function on a thread of the pool, with the caller's contextvars.

    A call that is given up keeps its thread until the function returns: a
    thread cannot be stopped. One that still waits for a thread never starts.
    ``around`` is entered on the thread around each function.
    """

    def __init__(
        self,
        max_workers: int,
        around: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._around = around
        self._pool = ThreadPoolExecutor(max_workers, thread_name_prefix="mcp-tool")

    async def __call__(self, function: Callable[[], T]) -> T:
        context = contextvars.copy_context()
        future = self._pool.submit(context.run, self._run, function)
        return await asyncio.wrap_future(future)

    def _run(self, function: Callable[[], T]) -> T:
        with self._around():
            try:
                return function()
            except StopIteration as error:
                # No future can carry it: whoever waits would wait for ever.
                raise RuntimeError("the function raised StopIteration") from error

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
