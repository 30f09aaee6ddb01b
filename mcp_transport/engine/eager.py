"""Taking the first step of a coroutine at once.

What ends without waiting then costs no turn of the event loop, and no task: the
caller has the outcome before it would have had the task.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Coroutine
from typing import Any, Self


class Started(Coroutine[Any, Any, None]):
    """A coroutine whose first step was taken by ``step``; awaiting it does the rest.

    The step and the rest have to run in one task, so that ``asyncio.timeout``
    and its kin, which remember the task, resume in the one they began in.
    """

    __slots__ = ("_coroutine", "_waiting", "ended")

    def __init__(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._coroutine = coroutine
        self._waiting: Any = None
        self.ended = False

    def step(self) -> None:
        """Run to the first wait, or to the end. Raises what the coroutine raises."""
        try:
            self._waiting = (self._coroutine.send(None),)
        except StopIteration:
            self.ended = True
        except BaseException:
            self.ended = True
            raise

    def send(self, value: Any) -> Any:
        if self.ended:
            raise StopIteration
        if self._waiting is not None:
            (waiting,), self._waiting = self._waiting, None
            return waiting
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        if self.ended:
            raise StopIteration
        if self._waiting is not None:
            (waiting,), self._waiting = self._waiting, None
            # What is waited for is cancelled first, as a task does it.
            if waiting is not None and waiting.cancel():
                return waiting
        return self._coroutine.throw(*error)

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Self:
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        return self.send(None)


def start(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
    """Run ``coroutine`` to its first wait in a task of its own; return the task.

    None means that it has ended. It must not raise. Python 3.12 has this built
    in; for 3.11 the step is taken by hand, with the task as the current one.
    """
    loop = asyncio.get_running_loop()
    if sys.version_info >= (3, 12):
        eager = asyncio.Task(coroutine, loop=loop, eager_start=True)
        return None if eager.done() else eager
    started = Started(coroutine)
    context = contextvars.copy_context()
    task: asyncio.Task[None] = asyncio.Task(started, loop=loop, context=context)
    outer = asyncio.current_task()
    if outer is not None:
        asyncio.tasks._leave_task(loop, outer)
    asyncio.tasks._enter_task(loop, task)
    try:
        context.run(started.step)
    finally:
        asyncio.tasks._leave_task(loop, task)
        if outer is not None:
            asyncio.tasks._enter_task(loop, outer)
    return None if started.ended else task
