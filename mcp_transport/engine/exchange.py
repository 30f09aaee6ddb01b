"""One message in, a stream of messages out."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.calls import Call
from mcp_transport.engine.observing import Outcome, outcome_of, tell
from mcp_transport.engine.session import Session
from mcp_transport.engine.signals import Signal
from mcp_transport.protocol.errors import ProtocolError
from mcp_transport.protocol.messages import (
    Id,
    Message,
    Request,
    encode_error,
    encode_notification,
    encode_response,
)
from mcp_transport.protocol.peer import Peer
from mcp_transport.protocol.revision import Revision

if TYPE_CHECKING:
    from mcp_transport.engine.server import Server


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """A door, and what may pass it.

    ``streaming`` is False where a reply can only be one message: nothing is
    offered there that needs a stream.
    """

    name: str
    stateful: Mapping[str, Revision]
    stateless: Mapping[str, Revision]
    streaming: bool = True


@dataclass(slots=True, eq=False)
class Arrival:
    """One message as it came through a door.

    ``headers`` are the lower-case HTTP headers, or None where the door has
    none; ``session`` is that of a stateful client, new for ``initialize``.
    """

    message: Message
    binding: Binding
    caller: Caller
    headers: Mapping[str, str] | None = None
    session: Session | None = None


class Exchange:
    """The answers to one message, as they come: JSON, one message each.

    A door that wants to know whether the response comes first looks at
    ``answered`` and ``pending``; one that does not care iterates. Leaving the
    exchange early means what the revision says: a call whose response nobody
    can come back for is cancelled, any other goes on. ``unheard`` is what the
    message says to a call that runs in another process, if in any.
    """

    __slots__ = (
        "_delivering",
        "_logs_dropped",
        "_logs_seen",
        "_logs_sent",
        "_loop",
        "_progress",
        "_ready",
        "_thread",
        "_unread_bytes",
        "_waiter",
        "answered",
        "arrival",
        "began_at",
        "call",
        "caller",
        "done",
        "error",
        "hang_up_ms",
        "known_as",
        "method",
        "notes",
        "params",
        "peer",
        "refused",
        "request_id",
        "sent_bytes",
        "server",
        "session",
        "timed_out",
        "unheard",
    )

    # Of a request alone.
    peer: Peer
    request_id: Id
    method: str
    params: dict[str, Any]

    def __init__(self, server: Server, arrival: Arrival) -> None:
        self.server = server
        self.arrival = arrival
        self.caller = arrival.caller
        self.session = arrival.session
        if isinstance(arrival.message, Request):
            self.request_id = arrival.message.id
            self.method = arrival.message.method
            self.params = arrival.message.params
        self.began_at = time.time()
        self.call = Call()
        self.answered = False
        self.done = False
        self.error: ProtocolError | None = None
        self.refused = False
        self.timed_out = False
        self.unheard: Signal | None = None
        self.hang_up_ms: int | None = None
        self.sent_bytes = 0
        self.known_as: tuple[str, ...] = ()
        self.notes: dict[str, Any] = {}
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._ready: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._progress: float | None = None
        self._logs_sent = 0
        self._logs_seen = 0
        self._logs_dropped = 0
        self._unread_bytes = 0
        self._delivering = False

    # The side that answers. Nothing goes out after the response, or once the
    # call was cancelled. Spec: 2026-07-28 basic/patterns/cancellation.

    def send(self, message: bytes) -> None:
        """Send one message. May be called from any thread."""
        if threading.get_ident() != self._thread:
            self._loop.call_soon_threadsafe(self._put, message)
        else:
            self._put(message)

    def notify(self, method: str, params: dict[str, Any]) -> None:
        """Send one notification. May be called from any thread."""
        self.send(encode_notification(method, params))

    def progress(self, value: float, params: dict[str, Any]) -> None:
        """Send progress, if it is more than what was sent before.

        Spec: 2026-07-28 basic/patterns/progress: the value MUST increase.
        """
        if self._progress is not None and value <= self._progress:
            return
        if self._falls_behind:
            return
        self._progress = value
        self.notify("notifications/progress", params)

    def log(self, params: dict[str, Any]) -> None:
        """Send a log message, unless an earlier run of the tool has sent it."""
        self._logs_seen += 1
        if self._logs_seen <= self._logs_sent:
            return
        self._logs_sent = self._logs_seen
        if self._falls_behind:
            self._logs_dropped += 1
            return
        self._tell_dropped()
        self.notify("notifications/message", params)

    @property
    def _falls_behind(self) -> bool:
        """Tell whether the door is still busy with what it took, and more waits behind
        that than is kept for a slow reader. A tool cannot be made to wait, and nobody
        but the reader misses its reports. A burst to a door that waits is no stall.
        """
        most_bytes = self.server.limits.max_unread_bytes
        return self._delivering and self._unread_bytes > most_bytes

    def _tell_dropped(self) -> None:
        if self._logs_dropped and self.peer.hears("warning"):
            text = (
                f"{self._logs_dropped} log messages were dropped: unread for too long"
            )
            self._logs_dropped = 0
            self.notify("notifications/message", {"level": "warning", "data": text})

    def rewind(self) -> None:
        """The tool starts again: what it repeats is not sent again."""
        self._logs_seen = 0

    def hang_up(self, retry_ms: int) -> None:
        """Let the connection go; the client comes back after ``retry_ms``."""
        if threading.get_ident() != self._thread:
            self._loop.call_soon_threadsafe(self.hang_up, retry_ms)
            return
        self.hang_up_ms = retry_ms
        self._wake()

    def respond(self, result: dict[str, Any] | bytes) -> None:
        """Send the response: a result as the revision sends it."""
        if not self.done:
            self._finish(encode_response(self.request_id, result))
            self._observe(*outcome_of(result))

    def fail(self, error: ProtocolError) -> None:
        """Send the response: an error."""
        if not self.done:
            self.error = error
            self._finish(encode_error(self.request_id, error))
            self._observe(Outcome.ERROR, error.message)

    def refuse(self, error: ProtocolError) -> None:
        """Send an error for a request that is not known to be anybody's."""
        self.refused = True
        self.fail(error)

    def end(self) -> None:
        """There is no response, or no more."""
        if not self.done:
            self._finish(None)
            if isinstance(self.arrival.message, Request):
                self._observe(Outcome.CANCELLED, None)

    def _observe(self, outcome: Outcome, error: str | None) -> None:
        if self.server.observers:
            tell(self, Outcome.TIMED_OUT if self.timed_out else outcome, error)

    def _finish(self, message: bytes | None) -> None:
        self._tell_dropped()
        if message is not None and not self.call.cancelled:
            self._ready.append(message)
            self.sent_bytes += len(message)
            self.answered = True
        self.done = True
        self._wake()

    def _put(self, message: bytes) -> None:
        if not self.done and not self.call.cancelled:
            self._ready.append(message)
            self._unread_bytes += len(message)
            self.sent_bytes += len(message)
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # The side that delivers.

    @property
    def ready(self) -> bool:
        """Tell whether there is something to take, or nothing more to come."""
        return self.done or bool(self._ready) or self.hang_up_ms is not None

    @property
    def over(self) -> bool:
        """Tell whether there is nothing to take, now or later."""
        return self.done and not self._ready

    @property
    def pending(self) -> int:
        """How many messages there are to take."""
        return len(self._ready)

    def take(self) -> list[bytes]:
        """Return what is ready, oldest first."""
        taken = list(self._ready)
        self._ready.clear()
        self._unread_bytes = 0
        self._delivering = True
        return taken

    async def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until ``ready``; False when ``timeout_s`` passed in silence."""
        if self.ready:
            return True
        self._delivering = False
        self._waiter = self._loop.create_future()
        try:
            async with asyncio.timeout(timeout_s):
                await self._waiter
        except TimeoutError:
            return False
        finally:
            self._waiter = None
        return True

    async def settle(self) -> None:
        """Wait for the response alone; what comes before it is dropped."""
        while not self.done:
            await self.wait()
            if not self.done:
                self.take()
                self.hang_up_ms = None

    def leave(self) -> None:
        """Stop listening: cancels a call that nobody can come back to.

        May be called from any thread: Django closes a response on another.
        """
        if threading.get_ident() != self._thread:
            self._loop.call_soon_threadsafe(self.leave)
            return
        if not self.done and not self.peer.revision.resumable:
            self.end()
            self.call.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.leave()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self._ready:
            if self.done:
                raise StopAsyncIteration
            await self.wait()
            self.hang_up_ms = None
        message = self._ready.popleft()
        self._unread_bytes -= len(message)
        self._delivering = True
        return message


Method = Callable[[Exchange], Awaitable[dict[str, Any] | bytes]]
Methods = Mapping[str, Method]
