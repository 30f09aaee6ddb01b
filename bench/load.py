"""The load: a bounded number of clients, each with one request on its way."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

PATIENCE_S = 10.0
# Every request has an id of its own; all have eight digits, so that neither
# requests nor replies vary in length.
FIRST_ID = 10_000_000


class WrongReply(Exception):
    """A reply that is not the expected one; such a run counts for nothing."""


class Peer(Protocol):
    """One client, over connections of its own."""

    @property
    def sockets(self) -> Sequence[socket.socket]:
        """What replies may come on."""
        ...

    def ask(self, number: int) -> None:
        """Send request ``number``; the one before it was answered."""
        ...

    def hear(self, descriptor: int) -> bool:
        """Take what has arrived on one of the sockets; True once the reply is
        whole. Raises WrongReply.
        """
        ...


@dataclass(frozen=True, slots=True)
class Window:
    """What was counted in one stretch of time."""

    seconds: float
    latencies_s: list[float]


class Load:
    """Some clients of one server, connected for as long as the block lasts.

    A session knows the ids that it has seen, so ``numbers`` gives none out twice.
    """

    def __init__(self, peers: Sequence[Peer], numbers: Iterator[int]) -> None:
        self._peers = peers
        self._numbers = numbers
        self._asked_at_s: dict[Peer, float] = {}
        self._poll = select.epoll()
        self._by_descriptor: dict[int, Peer] = {}
        for peer in peers:
            for connection in peer.sockets:
                self._by_descriptor[connection.fileno()] = peer
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
        for peer in self._peers:
            for connection in peer.sockets:
                connection.close()

    def run(self, seconds: float) -> Window:
        """Keep every client busy for ``seconds``, then let each one finish.

        Raises WrongReply, and TimeoutError for a server that fell silent.
        """
        latencies_s: list[float] = []
        start_s = time.perf_counter()
        for peer in self._peers:
            self._ask(peer)
        waiting = len(self._peers)
        while waiting:
            ready = self._poll.poll(PATIENCE_S)
            if not ready:
                raise TimeoutError(f"no reply for {PATIENCE_S:g} s")
            going_on = time.perf_counter() - start_s < seconds
            for descriptor, _ in ready:
                peer = self._by_descriptor[descriptor]
                if not peer.hear(descriptor):
                    continue
                latencies_s.append(time.perf_counter() - self._asked_at_s[peer])
                if going_on:
                    self._ask(peer)
                else:
                    waiting -= 1
        return Window(time.perf_counter() - start_s, latencies_s)

    def _ask(self, peer: Peer) -> None:
        self._asked_at_s[peer] = time.perf_counter()
        peer.ask(next(self._numbers))
