"""Whether a peer takes what is written to it."""

from __future__ import annotations

import asyncio
from typing import Any

# A peer that takes nothing for so long is cut off.
STALL_S = 30.0


class Flow:
    """A producer of Twisted's, which the transport pauses while too much is
    buffered for its peer, and resumes when all has been written.

    The transport's own bound is 64 KiB, and stays: it is also the size of a read.
    """

    __slots__ = ("_alarm", "_emptied", "_transport")

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._emptied: asyncio.Event | None = None
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def full(self) -> bool:
        return self._emptied is not None

    async def emptied(self) -> None:
        """Wait until more may be written, or nothing will be any more."""
        if self._emptied is not None:
            await self._emptied.wait()

    def pauseProducing(self) -> None:
        if self._emptied is None:
            self._emptied = asyncio.Event()
            self._watch()

    def resumeProducing(self) -> None:
        if self._emptied is not None:
            self._emptied.set()
            self._emptied = None
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def stopProducing(self) -> None:
        """The connection is lost: who waits is let go, and so is what was not sent.

        Twisted would leave it to the garbage collector, which may be long in coming.
        """
        self.resumeProducing()
        self._transport.dataBuffer, self._transport.offset = b"", 0
        self._transport._tempDataBuffer, self._transport._tempDataLen = [], 0

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_later(STALL_S, self._look, self._written())

    def _look(self, before: object) -> None:
        if self._written() == before:
            self._transport.abortConnection()
        else:
            self._watch()

    def _written(self) -> object:
        """Return something that differs once the socket has taken a byte more: what
        is added meanwhile goes into another buffer.
        """
        return len(self._transport.dataBuffer), self._transport.offset
