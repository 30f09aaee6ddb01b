"""The client's end of a connection."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp_transport.protocol.errors import ProtocolError
from mcp_transport.protocol.revision import Revision

if TYPE_CHECKING:
    from tests.interaction.wires.stdio import Forks

# How long one step may take. Nothing waits this long.
STEP_S = 20


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a wire leads: to the servers at ``origins``, one after the other, or
    to a process that is forked for it. The token is empty where there is none.
    """

    revision: Revision
    token: str
    origins: tuple[str, ...] = ()
    forks: Forks | None = None

    @property
    def credential(self) -> Mapping[str, str]:
        """The headers that say who calls."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


class Wire(ABC):
    """A Transport that a test can also break.

    ``refused`` holds the codes by which the door turned messages down: HTTP
    statuses, and that of a close frame.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.refused: list[int] = []
        self._inbox: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []

    @abstractmethod
    async def start(self) -> None: ...

    @abstractmethod
    async def send(self, message: bytes) -> None: ...

    @abstractmethod
    async def close(self) -> None:
        """Go, as a client does that is done."""

    @abstractmethod
    async def cut(self) -> None:
        """Vanish, as when the network fails."""

    async def mend(self) -> None:
        """Come back after ``cut`` for what was missed, where there is a way."""
        raise ConnectionError("what was missed here is lost")

    async def receive(self) -> bytes | None:
        return await self._inbox.get()

    def error(self, error: ProtocolError) -> None:
        raise error

    # What goes on beside. A task that fails ends the connection, and says why
    # when it is closed.

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            self._failures.append(failure)
            self._inbox.put_nowait(None)

    async def _stop(self) -> None:
        """Stop all that goes on. Raises what failed."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._failures:
            raise self._failures[0]
