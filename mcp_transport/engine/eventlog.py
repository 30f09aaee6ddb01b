"""The messages of a stream, numbered, so that a reader can come back.

A stream belongs to a session. What is said goes through a ``Writer`` and is
read through a ``Reader``, each perhaps in a process of its own.

Spec: 2025-11-25 basic/transports #resumability-and-redelivery.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from mcp_transport.protocol.messages import Id

# The stream of a session for what belongs to no request.
STANDING = "0"

_POSITION = re.compile(r"([0-9a-z]{1,32})\.([0-9a-f]{1,32})\.([0-9]{1,15})")


class Gone(Exception):
    """The stream, or the part asked for, is not kept any more."""


@dataclass(frozen=True, slots=True)
class Event:
    """One message of a stream; numbers run from 1 without a gap."""

    number: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Position:
    """Behind event ``number`` of a stream: what an event id says.

    ``epoch`` names the log's memory of this stream: a log that lost it starts
    another one, and so can refuse old positions.
    """

    stream: str
    epoch: str
    number: int

    def __str__(self) -> str:
        return f"{self.stream}.{self.epoch}.{self.number}"

    @classmethod
    def parse(cls, event_id: str) -> Self:
        """Raises Gone for an id that no log ever gave."""
        matched = _POSITION.fullmatch(event_id)
        if matched is None:
            raise Gone
        return cls(matched[1], matched[2], int(matched[3]))


class Writer(Protocol):
    """Appends to one stream, from one process."""

    @property
    def start(self) -> Position:
        """The position before the first event of the stream."""
        ...

    async def append(
        self, messages: Sequence[bytes], answered: Collection[Id] = ()
    ) -> None:
        """Append ``messages``, among them the responses to ``answered``.

        Waits while somebody reads who would lose what he has not read yet; where
        nobody reads, the newest events are kept. Does nothing on a stream that
        was closed or dropped.
        """
        ...

    async def close(self) -> None:
        """Mark that nothing more will be appended; kept for replay a while."""
        ...


class Reader(Protocol):
    """One connection's hold on a stream, until another connection takes it."""

    @property
    def position(self) -> Position:
        """Behind the last event that ``read`` returned."""
        ...

    async def read(self) -> tuple[list[Event], bool]:
        """Return the events since the last call, and whether there come no more.

        What the last call returned counts as delivered now. Raises Gone when
        events were dropped unread, or somebody else reads the stream now.
        """
        ...

    async def wait(self, timeout_s: float) -> bool:
        """Wait until ``read`` may have something; False when the time passed."""
        ...

    async def leave(self) -> None:
        """Let go of the stream. May be called again."""
        ...


class EventLog(Protocol):
    """The streams of all sessions."""

    async def write(
        self, session_id: str, stream: str, awaited: Collection[Id] = ()
    ) -> Writer:
        """Open a stream, unless it is there, to append to it.

        ``awaited`` are the ids of the requests whose responses belong there. If
        the writer's process dies before they came, each is given an error.
        """
        ...

    async def read(
        self, session_id: str, stream: str, after: Position | None = None
    ) -> Reader:
        """Take a stream over from whoever read it, to go on behind ``after``; if
        that is None, behind what was delivered last. The standing stream is made
        when it is not there.

        Raises Gone when the stream cannot be read from there without a gap.
        """
        ...

    async def is_read(self, session_id: str, stream: str) -> bool:
        """Tell whether a connection holds the stream."""
        ...
