"""The messages of a stream, numbered, so that a reader can come back.

Spec: 2025-11-25 basic/transports #resumability-and-redelivery.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Gone(Exception):
    """The stream, or the part asked for, is not kept any more."""


@dataclass(frozen=True, slots=True)
class Event:
    """One message of a stream; numbers run from 1 without a gap."""

    number: int
    data: bytes


class EventLog(Protocol):
    """The streams of each session. ``epoch`` names this log's memory: a log that
    lost its events has another one, and so can refuse old positions.
    """

    epoch: str

    async def open(self, session_id: str, stream: str) -> None:
        """Make an empty stream, unless it is there."""
        ...

    async def append(self, session_id: str, stream: str, data: bytes) -> None: ...

    async def close(self, session_id: str, stream: str) -> None:
        """Mark that nothing more will be appended; kept for replay a while."""
        ...

    async def read(
        self, session_id: str, stream: str, after: int
    ) -> tuple[list[Event], bool]:
        """Return the events numbered over ``after``, and whether it is closed.

        Raises Gone when the stream is unknown or events after ``after`` were
        dropped: never fewer than asked for.
        """
        ...

    async def wait(
        self, session_id: str, stream: str, after: int, timeout_s: float
    ) -> None:
        """Wait until there is something over ``after``, or the end, or time out."""
        ...

    async def drop(self, session_id: str) -> None:
        """Forget every stream of a session."""
        ...
