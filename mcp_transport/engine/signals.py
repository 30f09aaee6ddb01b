"""What one process tells the others that serve the same sessions.

A client's messages may reach any process. What concerns a call that runs, or
waits, in another one is handed on as a signal, which every process hears.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from mcp_transport.engine.changes import Change
from mcp_transport.protocol.messages import Id, Response


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The client does not want the response to a request any more."""

    session_id: str
    request_id: Id


@dataclass(frozen=True, slots=True)
class Answered:
    """The client answered a question of ours."""

    session_id: str
    response: Response


@dataclass(frozen=True, slots=True)
class Ended:
    """A session is over: nobody waits for its calls."""

    session_id: str


@dataclass(frozen=True, slots=True)
class CatalogueChanged:
    """What catalogues are read from has changed: it is time to read it again."""


@dataclass(frozen=True, slots=True)
class Dismissed:
    """An administrator wants a stream or socket to end, by its handle."""

    handle: str


Signal = Cancelled | Answered | Ended | Dismissed
Announced = Change | CatalogueChanged
Hear = Callable[[Signal | Announced], object]


class Signals(Protocol):
    """The way from each process to all others. Nothing that it took is lost."""

    def listen(self, hear: Hear) -> None:
        """Call ``hear`` too for each signal and change of another process."""
        ...

    async def send(self, signal: Signal) -> None:
        """Tell every other process. Raises StoreUnavailable."""
        ...

    def announce(self, change: Announced) -> None:
        """Tell every session that wants to know of ``change``, and every other
        process. Any thread may call it, of any process, and where the process
        serves it returns at once.
        """
        ...

    def attend(self) -> None:
        """Begin to hear the others, on the running event loop: somebody here wants
        to know of changes. Returns at once, and may be called again.
        """
        ...


class Alone:
    """Signals where there is nobody else."""

    def listen(self, hear: Hear) -> None: ...

    async def send(self, signal: Signal) -> None: ...

    def announce(self, change: Announced) -> None: ...

    def attend(self) -> None: ...
