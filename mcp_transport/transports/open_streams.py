"""The streams and sockets that are open in this process, and what ends them early.

A credential is looked at when a connection opens, and again for as long as it
lasts: one that was revoked ends what it opened. Of one caller so many may be open,
and of all.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import secrets
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from enum import Enum
from functools import cache, partial
from typing import TypeVar

from django.core.signals import setting_changed

from mcp_transport.conf import get_conf, get_server, get_store
from mcp_transport.engine.caller import Caller, Credential
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.observing import (
    Connection,
    Observer,
    tell_began,
    tell_ended,
)
from mcp_transport.engine.presence import (
    Census,
    SeenStream,
    session_handle,
    this_process,
)
from mcp_transport.protocol.errors import TooManyRequests
from mcp_transport.protocol.peer import Peer
from mcp_transport.transports.replies import Closing, EventStream

logger = logging.getLogger("mcp_transport")

# With what an authenticator keeps, a revoked token loses its streams within 10 s.
CHECK_EVERY_S = 5.0
RETRY_AFTER_S = 5

T = TypeVar("T")


class Ending(Enum):
    """Why the server ends a stream that could go on."""

    WITHDRAWN = "its credential grants nothing any more"
    RESTART = "the server goes away"
    DISMISSED = "an administrator has ended it"


# What observers are told: the words for sockets too.
ENDINGS = {
    Ending.WITHDRAWN: "no_credential",
    Ending.RESTART: "going_away",
    Ending.DISMISSED: "dismissed",
}


class StreamEnded(Exception):
    """What was waited for does not come any more."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.value)
        self.ending = ending


class Full(Exception):
    """As many streams are open as this process may hold."""


class OpenStream:
    """One stream or socket while it lasts; ``close`` when it has ended."""

    __slots__ = (
        "_alarm",
        "_credential",
        "_registry",
        "answers",
        "began_at",
        "caller",
        "connection",
        "door",
        "ending",
        "handle",
        "peer",
        "session_id",
        "standing",
        "used_at",
    )

    def __init__(
        self,
        registry: OpenStreams,
        caller: Caller,
        credential: Credential,
        standing: bool,
    ) -> None:
        self._registry = registry
        self.caller = caller
        self._credential = credential
        self._alarm: asyncio.Timeout | None = None
        self.standing = standing
        self.answers = False
        self.ending: Ending | None = None
        self.handle = secrets.token_hex(8)
        self.door = ""
        self.peer: Peer | None = None
        self.session_id = ""
        self.connection: Connection | None = None
        self.began_at = self.used_at = time.time()

    @property
    def subject(self) -> str:
        return self.caller.subject

    def meet(self, peer: Peer) -> None:
        """Hear who the client says it is."""
        known, self.peer = self.peer, peer
        if known is None or known.info != peer.info:
            self._registry.changed()

    @property
    def seen(self) -> SeenStream:
        peer = self.peer
        return SeenStream(
            handle=self.handle,
            subject=self.subject,
            token_id=self.caller.token_id or "",
            door=self.door,
            client="" if peer is None else peer.client,
            revision="" if peer is None else peer.revision.name,
            began_at=self.began_at,
            used_at=self.used_at,
            session=session_handle(self.session_id) if self.session_id else "",
            standing=self.standing,
            process=this_process(),
        )

    async def next(self, following: Callable[[], Awaitable[T]]) -> T:
        """Wait for what comes next. Raises StreamEnded when nothing is to follow."""
        if self.ending is not None:
            raise StreamEnded(self.ending)
        try:
            async with asyncio.timeout(None) as self._alarm:
                came = await following()
            self.used_at = time.time()
            return came
        except TimeoutError:
            # Raised outside of the block again, it could be anybody's.
            if self.ending is None:
                raise
            raise StreamEnded(self.ending) from None
        finally:
            self._alarm = None

    def end(self, ending: Ending) -> None:
        """Let whoever waits for what comes next stop waiting."""
        if self.ending is None:
            self.ending = ending
            if self._alarm is not None:
                self._alarm.reschedule(asyncio.get_running_loop().time())

    async def still_granted(self) -> bool:
        return self.caller.same_rights(await self._credential.caller())

    def close(self) -> None:
        self._registry.discard(self)
        if self.standing and self.connection is not None:
            tell_ended(self._registry.observers, self.connection, "client_left")

    def carry(self, response: EventStream) -> EventStream:
        """Let a response last as long as this stream may. It is closed with it."""
        self.answers = response.answers
        self.door, self.peer = response.door, response.peer
        self.session_id = response.session_id
        self._registry.changed()
        connection = self.connection = _connection(response, self.caller)
        if self.standing:
            tell_began(self._registry.observers, connection)
        loop = asyncio.get_running_loop()
        # Django's own handler closes a response on another thread.
        response.closing.then(partial(loop.call_soon_threadsafe, self.close))
        # Not streaming_content: Django's wrapper would not close what it wraps.
        pieces: AsyncGenerator[bytes, None] = response._iterator  # type: ignore[attr-defined]
        response.streaming_content = self._lasting(
            pieces, connection, response.goodbye, response.closing
        )
        return response

    async def _lasting(
        self,
        pieces: AsyncGenerator[bytes, None],
        connection: Connection,
        goodbye: Callable[[], Awaitable[bytes]],
        closing: Closing,
    ) -> AsyncGenerator[bytes, None]:
        """``closing`` is held as long as this may be sent, by whatever response."""
        try:
            while True:
                piece = await self.next(pieces.__anext__)
                connection.sent_bytes += len(piece)
                yield piece
        except StopAsyncIteration:
            connection.ending = "over"
        except StreamEnded as ended:
            connection.ending = ENDINGS[ended.ending]
            if ended.ending is Ending.RESTART:
                yield await goodbye()
        finally:
            await pieces.aclose()
            self.close()


def _connection(response: EventStream, caller: Caller) -> Connection:
    """Return what observers are told of a stream. (Of a socket they are told by who
    serves it.)
    """
    peer = response.peer
    return Connection(
        door=response.door,
        caller=caller,
        client=None if peer is None else peer.info,
        revision=None if peer is None else peer.revision.name,
    )


class OpenStreams:
    """All that are open in this process.

    A standing one, which waits for what may come, counts for its caller, and is
    refused where the process is full. One that answers a call never is: by then the
    call runs. It ends with the call, of which there are only so many. ``changed`` is
    called whenever one is opened or closed, on the event loop, and ``observers`` are
    told of the standing ones.
    """

    def __init__(
        self,
        limits: Limits,
        changed: Callable[[], None] = lambda: None,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._limits = limits
        self.observers = observers
        self.changed = changed
        self._open: set[OpenStream] = set()
        self._standing: Counter[str] = Counter()
        self._leaving = False
        self._watching: asyncio.Task[None] | None = None
        self._emptied: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._open)

    def census(self, most: int) -> Census[SeenStream]:
        """Return those that were used last. Any thread may ask."""
        streams = list(self._open)
        last = heapq.nlargest(most, streams, key=lambda stream: stream.used_at)
        return Census(tuple(stream.seen for stream in last), len(streams))

    def dismiss(self, handle: str) -> bool:
        """End one for good; False where it is not open here."""
        for stream in self._open:
            if stream.handle == handle:
                logger.info("a stream of %s ends: it was dismissed", stream.subject)
                stream.end(Ending.DISMISSED)
                return True
        return False

    def standing(self, caller: Caller, credential: Credential) -> OpenStream:
        """Make room for a stream or socket of its own.

        Raises TooManyRequests where its caller has as many as may be, and Full.
        """
        most = self._limits.max_streams
        if self._standing[caller.subject] >= most:
            said = f"{most} streams and sockets are open already"
            raise TooManyRequests(said, RETRY_AFTER_S)
        if len(self._open) >= self._limits.max_open_streams:
            raise Full
        return self._add(OpenStream(self, caller, credential, True))

    def answering(self, caller: Caller, credential: Credential) -> OpenStream:
        """Hold the stream that a call is answered by."""
        return self._add(OpenStream(self, caller, credential, False))

    def _add(self, stream: OpenStream) -> OpenStream:
        self._open.add(stream)
        self._standing[stream.subject] += stream.standing
        if self._leaving and stream.standing:
            stream.end(Ending.RESTART)
        self._watch()
        self.changed()
        return stream

    def discard(self, stream: OpenStream) -> None:
        if stream not in self._open:
            return
        self._open.remove(stream)
        self._standing[stream.subject] -= stream.standing
        if not self._standing[stream.subject]:
            del self._standing[stream.subject]
        self.changed()
        emptied = self._emptied
        if not self._open and emptied is not None and not emptied.done():
            emptied.set_result(None)

    async def emptied(self, timeout_s: float) -> None:
        """Wait until none is open, for ``timeout_s`` seconds at most."""
        if not self._open:
            return
        self._emptied = asyncio.get_running_loop().create_future()
        await asyncio.wait([self._emptied], timeout=timeout_s)

    @property
    def answering_calls(self) -> bool:
        """Tell whether a stream is open that a call may be answered by."""
        return any(stream.answers for stream in self._open)

    def end_waiting(self) -> None:
        """End what answers no call, as before a restart; sockets take no more calls.

        What is opened from now on, by who has not heard yet, ends at once.
        """
        self._leaving = True
        for stream in self._open:
            if not stream.answers:
                stream.end(Ending.RESTART)

    def end_all(self) -> None:
        for stream in self._open:
            stream.end(Ending.RESTART)

    def _watch(self) -> None:
        """See to it that credentials are looked at while anything is open."""
        loop, watching = asyncio.get_running_loop(), self._watching
        if watching is None or watching.done() or watching.get_loop() is not loop:
            self._watching = loop.create_task(self._look_again())

    async def _look_again(self) -> None:
        while self._open:
            await asyncio.sleep(CHECK_EVERY_S)
            for stream in list(self._open):
                await self._look_at(stream)

    async def _look_at(self, stream: OpenStream) -> None:
        try:
            granted = await stream.still_granted()
        except Exception:
            # An authenticator is anybody's code. Who cannot be asked says nothing.
            logger.exception("the credential of an open stream could not be checked")
            return
        if not granted:
            logger.info("a stream of %s ends: its credential is gone", stream.subject)
            stream.end(Ending.WITHDRAWN)


@cache
def get_open_streams() -> OpenStreams:
    presence = get_store().presence
    observers = get_server().observers
    streams = OpenStreams(get_conf().limits, presence.changed, observers)
    presence.watch(streams)
    return streams


def _forget(*, setting: str, **_: object) -> None:
    if setting == "MCP":
        get_open_streams.cache_clear()


setting_changed.connect(_forget, dispatch_uid="mcp_transport.open_streams")
