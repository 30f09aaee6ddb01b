"""The load: a bounded number of requests over keep-alive connections.

One request is in flight on each connection, and every reply is compared with
the one that is expected, byte by byte.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Self

CONNECTIONS = 16
PATIENCE_S = 10.0
CHUNK_BYTES = 262_144
# Every request has an id of its own; all have eight digits, so that neither
# requests nor replies vary in length.
FIRST_ID = 10_000_000
OK = b"HTTP/1.1 200 "
BLANK_LINE = b"\r\n\r\n"


class WrongReply(Exception):
    """A reply that is not the expected one; such a run counts for nothing."""


@dataclass(frozen=True, slots=True)
class Script:
    """What to send and what must come back, both by the number of the request.

    A session knows the ids that it has seen, so no number is given out twice.
    """

    request: Callable[[int], bytes]
    reply: Callable[[int], bytes]
    numbers: Iterator[int] = field(default_factory=lambda: count(FIRST_ID + 1))


@dataclass(frozen=True, slots=True)
class Window:
    """What was counted in one stretch of time."""

    seconds: float
    latencies_s: list[float]


class _Connection:
    __slots__ = ("_buffer", "_reply", "_sent_at_s", "_socket")

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._reply = b""
        self._sent_at_s = 0.0

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, request: bytes, reply: bytes) -> None:
        self._reply = reply
        self._sent_at_s = time.perf_counter()
        self._socket.sendall(request)

    def receive(self) -> float | None:
        """Take what has arrived; return the reply's latency once it is whole.

        Raises WrongReply.
        """
        chunk = self._socket.recv(CHUNK_BYTES)
        if not chunk:
            raise WrongReply("the server closed a connection in use")
        data = self._buffer + chunk if self._buffer else chunk
        head, blank, body = data.partition(BLANK_LINE)
        if not blank or (len(body) < len(self._reply) and head.startswith(OK)):
            self._buffer = data
            return None
        if body != self._reply or not head.startswith(OK):
            raise WrongReply(f"expected {self._reply[:300]!r}, got {data[:1000]!r}")
        self._buffer = b""
        return time.perf_counter() - self._sent_at_s

    def close(self) -> None:
        self._socket.close()


class Load:
    """Sixteen connections to one server, open for as long as the block lasts."""

    def __init__(self, port: int, script: Script) -> None:
        self._script = script
        self._poll = select.epoll()
        self._connections: dict[int, _Connection] = {}
        for _ in range(CONNECTIONS):
            connection = _Connection(port)
            self._connections[connection.fileno()] = connection
            self._poll.register(connection, select.EPOLLIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._poll.close()
        for connection in self._connections.values():
            connection.close()

    def run(self, seconds: float) -> Window:
        """Keep every connection busy for ``seconds``, then let each one finish.

        Raises WrongReply, and TimeoutError for a server that fell silent.
        """
        latencies_s: list[float] = []
        start_s = time.perf_counter()
        for connection in self._connections.values():
            self._ask(connection)
        waiting = len(self._connections)
        while waiting:
            ready = self._poll.poll(PATIENCE_S)
            if not ready:
                raise TimeoutError(f"no reply for {PATIENCE_S:g} s")
            going_on = time.perf_counter() - start_s < seconds
            for descriptor, _ in ready:
                connection = self._connections[descriptor]
                latency_s = connection.receive()
                if latency_s is None:
                    continue
                latencies_s.append(latency_s)
                if going_on:
                    self._ask(connection)
                else:
                    waiting -= 1
        return Window(time.perf_counter() - start_s, latencies_s)

    def _ask(self, connection: _Connection) -> None:
        number = next(self._script.numbers)
        connection.send(self._script.request(number), self._script.reply(number))
