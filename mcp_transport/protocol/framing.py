"""Messages on a byte stream, both ways: server-sent events and lines of JSON.

Spec: WHATWG HTML section 9.2 (server-sent events); 2025-11-25 basic/transports
#streamable-http and #stdio.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mcp_transport.protocol.errors import ProtocolError, invalid_request

_BOM: Final = b"\xef\xbb\xbf"
# Bytes, not text: str.splitlines would also break at U+2028 and others.
_SSE_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
# The standard sets no end to the digits; more than these are no waiting time.
_RETRY: Final = re.compile(rb"[0-9]{1,15}")
_FORBIDDEN: Final = re.compile(r"[\r\n\0]")


def sse_event(
    data: bytes,
    *,
    event: str | None = "message",
    id: str | None = None,
    retry_ms: int | None = None,
) -> bytes:
    """Write one event. ``data`` is one line: a message in JSON, or nothing.

    An event of an id and empty data, with ``event=None``, primes a stream: it
    gives the client a place to resume from and no message.

    Raises ValueError for a line end in ``data``, for a line end or NUL in
    ``event`` or ``id``, and for a negative ``retry_ms``.
    """
    if b"\n" in data or b"\r" in data:
        raise ValueError("data must be one line: encode the message as JSON")
    lines: list[bytes] = []
    if event is not None:
        lines.append(b"event: " + _field(event))
    if id is not None:
        lines.append(b"id: " + _field(id))
    if retry_ms is not None:
        if retry_ms < 0:
            raise ValueError("retry_ms must not be negative")
        lines.append(b"retry: %d" % retry_ms)
    lines.append(b"data: " + data)
    return b"\n".join(lines) + b"\n\n"


def sse_comment() -> bytes:
    """Write a comment, which readers skip: it keeps an idle stream alive."""
    return b":\n\n"


def _field(value: str) -> bytes:
    if _FORBIDDEN.search(value):
        raise ValueError("event and id must not hold a line end or NUL")
    return value.encode()


@dataclass(frozen=True, slots=True)
class SSEEvent:
    """One event as read: ``id`` is that of the last event that had one, or "".

    ``data`` is as sent, its lines joined by LF; ``retry_ms`` is None unless
    this event set it.
    """

    event: str
    data: bytes
    id: str
    retry_ms: int | None


class SSEDecoder:
    """Reads events from chunks that may be cut anywhere.

    ``last_event_id`` and ``retry_ms`` are what a client that reconnects needs:
    the id goes into Last-Event-ID, and may come without any data. What follows
    the last blank line is never an event, as the standard demands.
    """

    def __init__(self) -> None:
        self.last_event_id = ""
        self.retry_ms: int | None = None
        self._line = bytearray()
        self._at_start = True
        self._after_cr = False
        # The event being read.
        self._id = ""
        self._type = ""
        self._data: list[bytes] = []
        self._retry_ms: int | None = None

    def feed(self, chunk: bytes) -> list[SSEEvent]:
        """Return the events that ``chunk`` completes."""
        if not chunk:
            return []
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
            self._after_cr = False
            if not chunk:
                return []
        self._after_cr = chunk.endswith(b"\r")
        *ends, rest = _SSE_LINE_END.split(chunk)
        events: list[SSEEvent] = []
        for end in ends:
            self._line += end
            line = bytes(self._line)
            self._line.clear()
            if self._at_start:
                line = line.removeprefix(_BOM)
                self._at_start = False
            if line:
                self._read(line)
            elif event := self._dispatch():
                events.append(event)
        self._line += rest
        return events

    def _read(self, line: bytes) -> None:
        """Take one field. A line that begins with a colon is a comment."""
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._type = value.decode(errors="replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode(errors="replace")
        elif name == b"retry" and _RETRY.fullmatch(value):
            self._retry_ms = self.retry_ms = int(value)

    def _dispatch(self) -> SSEEvent | None:
        self.last_event_id = self._id
        event = None
        if self._data:
            data = b"\n".join(self._data)
            event = SSEEvent(self._type or "message", data, self._id, self._retry_ms)
        self._type, self._data, self._retry_ms = "", [], None
        return event


def frame_line(data: bytes) -> bytes:
    """Write one message as a line. Raises ValueError when it is not one line."""
    if b"\n" in data or b"\r" in data:
        raise ValueError("data must be one line: encode the message as JSON")
    return data + b"\n"


class LineDecoder:
    """Reads lines of at most ``max_bytes``, without their ends (LF or CRLF).

    Blank lines are skipped. A longer line is one ProtocolError (-32600) in its
    place among the others, as soon as it is too long; the rest of it is dropped.
    """

    def __init__(self, max_bytes: int) -> None:
        if max_bytes < 1:
            raise ValueError("max_bytes must be 1 or more")
        self._max_bytes = max_bytes
        self._line = bytearray()
        self._dropping = False

    def feed(self, chunk: bytes) -> list[bytes | ProtocolError]:
        """Return the lines that ``chunk`` completes, and what is wrong, in order."""
        found: list[bytes | ProtocolError] = []
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            self._add(end, found)
            line = bytes(self._line).removesuffix(b"\r")
            if line.strip():
                found.append(line)
            self._line.clear()
            self._dropping = False
        self._add(rest, found)
        return found

    def _add(self, piece: bytes, found: list[bytes | ProtocolError]) -> None:
        if self._dropping:
            return
        self._line += piece
        # A CR at the end may be half of the line's end.
        if len(self._line) - self._line.endswith(b"\r") > self._max_bytes:
            found.append(
                invalid_request(f"A message has at most {self._max_bytes} bytes")
            )
            self._line.clear()
            self._dropping = True
