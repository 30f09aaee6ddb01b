"""HTTP, server-sent events and WebSocket frames, as far as the load needs them.

A client that reads as little as this costs little beside the servers that it
measures. What it does not understand it takes for a wrong reply.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Sequence

from bench.load import PATIENCE_S, WrongReply

CHUNK_BYTES = 262_144
BLANK_LINE = b"\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
DATA = b"data: "

TEXT_FRAME = 0x81
MASKED = 0x80
TWO_MORE_BYTES = 126
MASK = b"\x37\xfa\x21\x3d"


def connected(port: int, request: bytes = b"") -> socket.socket:
    """Connect to a port of this machine, and send what comes first."""
    connection = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(request)
    return connection


def received(connection: socket.socket) -> bytes:
    """Return what has arrived. Raises WrongReply for the end of the connection."""
    chunk = connection.recv(CHUNK_BYTES)
    if not chunk:
        raise WrongReply("the server closed a connection in use")
    return chunk


def read_until(streams: Sequence[socket.socket], needle: bytes) -> list[bytes]:
    """Read each stream until it has said ``needle``; return what each one said.

    Raises WrongReply for a stream that ended, TimeoutError for a silent one.
    """
    said = {stream.fileno(): b"" for stream in streams}
    by_number = {stream.fileno(): stream for stream in streams}
    poll = select.epoll()
    for stream in streams:
        poll.register(stream, select.EPOLLIN)
    waiting = set(said)
    deadline_s = time.monotonic() + PATIENCE_S
    with poll:
        while waiting:
            ready = poll.poll(PATIENCE_S)
            if not ready or time.monotonic() > deadline_s:
                silent = [said[number][-1000:] for number in list(waiting)[:3]]
                raise TimeoutError(
                    f"{len(waiting)} streams never said {needle!r}: {silent}"
                )
            for number, _ in ready:
                said[number] += received(by_number[number])
                if needle in said[number]:
                    waiting.discard(number)
                    poll.unregister(number)
    return [said[stream.fileno()] for stream in streams]


def dechunked(body: bytes) -> bytes:
    """Return a whole body without the framing of its chunks (RFC 9112 section 7.1)."""
    pieces = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        pieces.append(rest[:length])
        body = rest[length + 2 :]
    return b"".join(pieces)


def data_of(events: bytes) -> list[bytes]:
    """Return the messages in server-sent events; comments and ids say nothing."""
    return [
        line.removeprefix(DATA)
        for line in events.split(b"\n")
        if line.startswith(DATA) and line != DATA
    ]


def framed(text: bytes) -> bytes:
    """Return a WebSocket's text frame, masked as a client's must be.

    The text has less than 64 KiB. RFC 6455 section 5.2.
    """
    length = len(text)
    key = (MASK * (length // 4 + 1))[:length]
    masked = int.from_bytes(text) ^ int.from_bytes(key)
    if length < TWO_MORE_BYTES:
        head = bytes([TEXT_FRAME, MASKED | length])
    else:
        head = bytes([TEXT_FRAME, MASKED | TWO_MORE_BYTES]) + length.to_bytes(2)
    return head + MASK + masked.to_bytes(length)


def unframed(data: bytes) -> bytes | None:
    """Return the text of the one frame in ``data``, or None while it is not whole.

    Raises WrongReply for anything else.
    """
    if data[0] != TEXT_FRAME or (len(data) > 1 and data[1] > TWO_MORE_BYTES):
        raise WrongReply(f"not a text frame of less than 64 KiB: {data[:100]!r}")
    start = 4 if len(data) > 1 and data[1] == TWO_MORE_BYTES else 2
    if len(data) < start:
        return None
    length = data[1] if start == 2 else int.from_bytes(data[2:4])
    if len(data) > start + length:
        raise WrongReply(f"more than one frame: {data[:1000]!r}")
    return data[start:] if len(data) == start + length else None
