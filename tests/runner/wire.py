"""A few bytes to a server, and all that comes back."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.serving import HOST, Served

BOUND_S = 30.0
OFTEN_S = 0.02
HEAD = b"Host: x\r\nConnection: close\r\n"


def connect(served: Served) -> socket.socket:
    return socket.create_connection((HOST, served.port), BOUND_S)


def becomes(seen: Callable[[], object], wanted: object = True) -> None:
    """Look again and again until it is so."""
    deadline = time.monotonic() + BOUND_S
    while (found := seen()) != wanted:
        assert time.monotonic() < deadline, f"{found} is not {wanted}"
        time.sleep(OFTEN_S)


def is_refused(served: Served) -> bool:
    """Tell whether the server lets nobody in any more."""
    try:
        connect(served).close()
    except ConnectionRefusedError:
        return True
    return False


def until(connection: socket.socket, end: bytes) -> bytes:
    """Read until ``end`` has come, or until the connection has ended."""
    said = b""
    while end not in said and (piece := connection.recv(65_536)):
        said += piece
    return said


def rest(connection: socket.socket) -> bytes:
    """Read until the connection ends."""
    said = b""
    while piece := connection.recv(65_536):
        said += piece
    return said


@dataclass(frozen=True)
class Heard:
    said: bytes
    took_s: float

    @property
    def status(self) -> int | None:
        return int(self.said.split(b" ", 2)[1]) if self.said else None


def ask(served: Served, data: bytes) -> Heard:
    """Send ``data`` as far as it is taken; return all that comes back."""
    began = time.monotonic()
    with connect(served) as connection:
        # Who is refused before all was read may still find the answer there.
        with contextlib.suppress(ConnectionError):
            connection.sendall(data)
        said = rest(connection)
    return Heard(said, time.monotonic() - began)


def get(path: bytes, *, close: bool = True) -> bytes:
    head = HEAD if close else b"Host: x\r\n"
    return b"GET " + path + b" HTTP/1.1\r\n" + head + b"\r\n"
