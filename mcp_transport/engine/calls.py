"""The registry of running calls: deadline, cancel, drain.

A call that has to wait goes on in a task that is held here, not in the task of
the connection that asked for it: the connection may vanish, the call may not.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from math import inf
from typing import Any

from mcp_transport.engine import eager

CallKey = tuple[str, str | int]
# Whose call it is, and of which kind: each has a bound of its own.
Holder = tuple[str, str]


def told_to_end() -> bool:
    """Tell whether the current task was cancelled, by us or with its loop.

    A CancelledError may also come from something that the task waited for.
    """
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


class Call:
    """One running call. ``deadline`` may be set before or while it waits."""

    __slots__ = (
        "_alarm",
        "_ends_at_s",
        "_late",
        "_paused",
        "_task",
        "_timeout_s",
        "cancelled",
    )

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._timeout_s: float | None = None
        self._ends_at_s = inf
        self._late: Callable[[], None] | None = None
        self._paused = False
        self.cancelled = False

    def deadline(self, timeout_s: float, late: Callable[[], None]) -> None:
        """Call ``late`` and end the call ``timeout_s`` seconds from now."""
        self._timeout_s, self._late = timeout_s, late
        self._ends_at_s = time.monotonic() + timeout_s
        if self._task is not None:
            self._arm()

    @property
    def left_s(self) -> float:
        """How long until the deadline: 0 when it has come, infinite without one."""
        return max(0.0, self._ends_at_s - time.monotonic())

    def pause(self) -> None:
        """Let the deadline stand still, while somebody else is waited for."""
        self._paused = True
        self._ends_at_s = inf
        self._disarm()

    def resume(self) -> None:
        """Let the deadline run again, from its start."""
        self._paused = False
        if self._timeout_s is not None:
            self._arm()

    def cancel(self) -> None:
        """End the call; a plain tool sees ``Context.cancelled``."""
        self.cancelled = True
        self._disarm()
        if self._task is not None:
            self._task.cancel()

    async def ended(self) -> None:
        """Wait until the call has ended, its clean-up included."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def _held(self, task: asyncio.Task[None]) -> None:
        self._task = task
        if self._timeout_s is not None and not self._paused:
            self._arm()

    def _ended(self) -> None:
        # What was to happen at the deadline refers to who refers to this call:
        # let go, or each call would be left to the garbage collector.
        self._disarm()
        self._late = None

    def _arm(self) -> None:
        self._disarm()
        assert self._timeout_s is not None
        self._ends_at_s = time.monotonic() + self._timeout_s
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_later(self._timeout_s, self._expire)

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _expire(self) -> None:
        if self._late is not None:
            self._late()
        self.cancel()


class Calls:
    """Holds each call that waits until it ends."""

    def __init__(self) -> None:
        self._running: dict[Call, tuple[CallKey | None, Holder]] = {}
        self._by_key: dict[CallKey, Call] = {}
        self._held: Counter[Holder] = Counter()

    def start(
        self,
        call: Call,
        work: Coroutine[Any, Any, None],
        key: CallKey | None,
        holder: Holder,
    ) -> None:
        """Run ``work``; when it has to wait hold it under ``key``, for ``holder``."""
        task = eager.start(work)
        if task is None:
            call._ended()
            return
        self._running[call] = key, holder
        self._held[holder] += 1
        if key is not None:
            self._by_key[key] = call
        call._held(task)
        task.add_done_callback(lambda _: self._ended(call))

    def _ended(self, call: Call) -> None:
        call._ended()
        key, holder = self._running.pop(call)
        self._held[holder] -= 1
        if not self._held[holder]:
            del self._held[holder]
        if key is not None and self._by_key.get(key) is call:
            del self._by_key[key]

    def holds(self, key: CallKey) -> bool:
        return key in self._by_key

    def held(self, holder: Holder) -> int:
        """Return how many calls of ``holder`` are running."""
        return self._held[holder]

    def cancel(self, key: CallKey) -> bool:
        """End the call that ``key`` names; False when there is none."""
        call = self._by_key.get(key)
        if call is None:
            return False
        call.cancel()
        return True

    def cancel_session(self, session_id: str) -> None:
        """End every call of a session."""
        for key, call in list(self._by_key.items()):
            if key[0] == session_id:
                call.cancel()

    async def drain(self, timeout_s: float) -> int:
        """Wait for the running calls, then end the rest as if their deadlines had
        come; return how many.

        The ended ones have run their clean-up when this returns.
        """
        loop = asyncio.get_running_loop()
        ends_at_s = loop.time() + timeout_s
        while self._tasks() and (left_s := ends_at_s - loop.time()) > 0:
            # Some may begin meanwhile: of a client that has not heard yet.
            await asyncio.wait(self._tasks(), timeout=left_s)
        late = self._tasks()
        for call in list(self._running):
            call._expire()
        await asyncio.gather(*late, return_exceptions=True)
        return len(late)

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [call._task for call in self._running if call._task is not None]

    def __len__(self) -> int:
        return len(self._running)
