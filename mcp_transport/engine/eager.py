"""A task that takes its first step at once.

A call that ends without waiting then costs no turn of the event loop: the
caller has the outcome before it would have had the task. Python 3.12 has this
built in; for 3.11 the step is taken by hand, with the task as the current one,
so that ``asyncio.timeout`` and its kin see the task in which they will resume.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Coroutine, Generator
from typing import Any

if sys.version_info >= (3, 12):

    def start(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Run ``coroutine`` to its first wait; return the task that goes on.

        None means that it has ended. It must not raise.
        """
        loop = asyncio.get_running_loop()
        task = asyncio.Task(coroutine, loop=loop, eager_start=True)
        return None if task.done() else task

else:

    class _Started(Coroutine[Any, Any, None]):
        """The rest of a coroutine whose first step was taken already."""

        __slots__ = ("_coroutine", "_waiting", "ended")

        def __init__(self, coroutine: Coroutine[Any, Any, None]) -> None:
            self._coroutine = coroutine
            self._waiting: Any = None
            self.ended = False

        def first_step(self) -> None:
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

        def __await__(self) -> Generator[Any, Any, None]:
            raise TypeError("only a task runs this")

    def start(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Run ``coroutine`` to its first wait; return the task that goes on.

        None means that it has ended. It must not raise.
        """
        loop = asyncio.get_running_loop()
        context = contextvars.copy_context()
        started = _Started(coroutine)
        task = asyncio.Task(started, loop=loop, context=context)
        outer = asyncio.current_task()
        if outer is not None:
            asyncio.tasks._leave_task(loop, outer)
        asyncio.tasks._enter_task(loop, task)
        try:
            context.run(started.first_step)
        finally:
            asyncio.tasks._leave_task(loop, task)
            if outer is not None:
                asyncio.tasks._enter_task(loop, outer)
        return None if started.ended else task
