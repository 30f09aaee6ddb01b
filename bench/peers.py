"""The clients that make the load, one for each way that a reply can come."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.load import WrongReply
from bench.wire import (
    BLANK_LINE,
    LAST_CHUNK,
    connected,
    data_of,
    dechunked,
    received,
    unframed,
)

OK = b"HTTP/1.1 200 "
ACCEPTED = b"HTTP/1.1 202 "
ACCEPTED_BODY = b"Accepted"


@dataclass(frozen=True, slots=True)
class Script:
    """What to send and what must come back, both by the number of the request."""

    request: Callable[[int], bytes]
    reply: Callable[[int], bytes]


class Poster:
    """Posts over a keep-alive connection; the reply is the body of the response."""

    def __init__(self, port: int, script: Script) -> None:
        self._script = script
        self._socket = connected(port)
        self._buffer = b""
        self._reply = b""

    @property
    def sockets(self) -> Sequence[socket.socket]:
        return (self._socket,)

    def ask(self, number: int) -> None:
        self._reply = self._script.reply(number)
        self._socket.sendall(self._script.request(number))

    def hear(self, descriptor: int) -> bool:
        data = self._buffer + received(self._socket)
        head, blank, body = data.partition(BLANK_LINE)
        if not blank or (head.startswith(OK) and not self._is_whole(body)):
            self._buffer = data
            return False
        if not head.startswith(OK) or self._said(body) != self._reply:
            raise WrongReply(f"expected {self._reply[:300]!r}, got {data[:1000]!r}")
        self._buffer = b""
        return True

    def _is_whole(self, body: bytes) -> bool:
        return len(body) >= len(self._reply)

    def _said(self, body: bytes) -> bytes:
        return body


class Follower(Poster):
    """Posts; the reply is a stream of events, and is whole when that ends."""

    def _is_whole(self, body: bytes) -> bool:
        return body.endswith(LAST_CHUNK)

    def _said(self, body: bytes) -> bytes:
        return b"\n".join(data_of(dechunked(body)))


class Correspondent:
    """Posts over one connection, and has its reply as an event on another."""

    def __init__(self, stream: socket.socket, port: int, script: Script) -> None:
        self._script = script
        self._stream = stream
        self._post = connected(port)
        self._accepted = b""
        self._said = b""
        self._reply = b""

    @property
    def sockets(self) -> Sequence[socket.socket]:
        return (self._stream, self._post)

    def ask(self, number: int) -> None:
        self._accepted = self._said = b""
        self._reply = self._script.reply(number)
        self._post.sendall(self._script.request(number))

    def hear(self, descriptor: int) -> bool:
        if descriptor == self._post.fileno():
            self._accepted += received(self._post)
        else:
            self._said += received(self._stream)
        return self._is_accepted() and self._is_answered()

    def _is_accepted(self) -> bool:
        head, blank, body = self._accepted.partition(BLANK_LINE)
        if not blank or (head.startswith(ACCEPTED) and len(body) < len(ACCEPTED_BODY)):
            return False
        if not head.startswith(ACCEPTED) or body != ACCEPTED_BODY:
            raise WrongReply(f"expected 202, got {self._accepted[:1000]!r}")
        return True

    def _is_answered(self) -> bool:
        """An event is a chunk of its own; a comment may come at any time."""
        data = data_of(self._said)
        if not data or not self._said.endswith(b"\n\n\r\n"):
            return False
        if data != [self._reply]:
            raise WrongReply(f"expected {self._reply!r}, got {self._said[:1000]!r}")
        return True


class Speaker:
    """Says one message over a WebSocket, and hears one."""

    def __init__(self, connection: socket.socket, script: Script) -> None:
        self._script = script
        self._socket = connection
        self._buffer = b""
        self._reply = b""

    @property
    def sockets(self) -> Sequence[socket.socket]:
        return (self._socket,)

    def ask(self, number: int) -> None:
        self._reply = self._script.reply(number)
        self._socket.sendall(self._script.request(number))

    def hear(self, descriptor: int) -> bool:
        self._buffer += received(self._socket)
        said = unframed(self._buffer)
        if said is None:
            return False
        if said != self._reply:
            raise WrongReply(f"expected {self._reply!r}, got {said[:1000]!r}")
        self._buffer = b""
        return True
