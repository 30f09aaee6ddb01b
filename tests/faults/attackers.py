"""Clients that a server should not have, each from an address that can be chosen.

They use sockets as they are: what a library would read, answer or close behind
our back is what they are about.
"""

from __future__ import annotations

import asyncio
import json
import select
import socket
import struct
from collections.abc import Mapping
from typing import Any

from websockets.frames import Frame, Opcode

from deploy.servers import HOST
from tests.faults.connection import Lost
from tests.faults.requests import HEADERS, listening, stateless

# A server that neither answers nor hangs up for so long has failed.
PATIENCE_S = 60
READ_BYTES = 4096
# RFC 6455 section 1.3: any 16 bytes will do.
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ALWAYS = (
    # Closing is an RST.
    (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),
    # As on a wire: by loopback's own segments the server's kernel takes megabytes.
    (socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1460),
)
UNREAD = (
    (socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1),
)


def address(number: int, each: int) -> str:
    """Return the loopback address of client ``number``; ``each`` share one.

    None of them is the server's, or the honest client's.
    """
    place = number // each
    return f"127.1.{place // 250}.{1 + place % 250}"


def head(port: int, start: str, headers: Mapping[str, str]) -> bytes:
    """Return the head of a request; ``start`` is its first line."""
    lines = [start, f"Host: {HOST}:{port}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def posted(port: int, message: Mapping[str, Any], headers: Mapping[str, str]) -> bytes:
    """Return a whole request over HTTP."""
    body = json.dumps(message).encode()
    sized = {**headers, "Content-Length": str(len(body))}
    return head(port, "POST /mcp HTTP/1.1", sized) + body


class Attacker:
    """One connection. What it does not read stays with the server."""

    def __init__(self, source: str, *, reads: bool = True) -> None:
        """Who hardly ``reads`` has next to no room for what comes, and asks the
        server's kernel each second whether the connection is still there: one that
        is given up behind unread data may end without a word.
        """
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        for level, option, value in (*ALWAYS, *(() if reads else UNREAD)):
            self._socket.setsockopt(level, option, value)
        self._socket.bind((source, 0))
        self.heard = b""

    async def connect(self, port: int) -> None:
        """Raises Lost, and TimeoutError."""
        await self._do(asyncio.get_running_loop().sock_connect, (HOST, port))

    async def send(self, data: bytes) -> None:
        """Raises Lost, and TimeoutError."""
        await self._do(asyncio.get_running_loop().sock_sendall, data)

    async def receive(self, most: int = READ_BYTES) -> bytes:
        """Return what has come, or b"" behind the last of it.

        Raises Lost, and TimeoutError.
        """
        received: bytes = await self._do(asyncio.get_running_loop().sock_recv, most)
        self.heard += received
        return received

    async def hear(self, wanted: bytes, most: int = READ_BYTES) -> None:
        """Read, ``most`` bytes at a time, until ``wanted`` was said.

        Raises Lost, and TimeoutError.
        """
        while wanted not in self.heard:
            if not await self.receive(most):
                raise Lost(f"the server said {self.heard[:200]!r}")

    async def _do(self, what: Any, argument: Any) -> Any:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await what(self._socket, argument)
        except TimeoutError:
            raise
        except OSError as error:
            raise Lost(type(error).__name__) from error

    @property
    def is_cut(self) -> bool:
        """Tell whether the server has hung up, however much is unread."""
        poll = select.poll()
        poll.register(self._socket, select.POLLRDHUP)
        return bool(poll.poll(0))

    def vanish(self) -> None:
        """Let go at once, by an RST: no port waits behind it."""
        self._socket.close()

    # The two doors. Whoever asks need not read what answers.

    async def call(self, port: int, tool: str, arguments: Mapping[str, Any]) -> None:
        """Call a tool over HTTP. Raises Lost, and TimeoutError."""
        await self.send(posted(port, *stateless(tool, "call", arguments)))

    async def listen(self, port: int) -> None:
        """Open a stream of what changes over HTTP. Raises Lost, and TimeoutError."""
        await self.send(posted(port, *listening("listen")))
        await self.hear(b"notifications/subscriptions/acknowledged")

    async def upgrade(self, port: int) -> None:
        """Shake hands for a WebSocket. Raises Lost, and TimeoutError."""
        headers = {
            "Authorization": HEADERS["Authorization"],
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": KEY,
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": "mcp",
        }
        await self.send(head(port, "GET /ws HTTP/1.1", headers))
        await self.hear(b"\r\n\r\n")
        if not self.heard.startswith(b"HTTP/1.1 101 "):
            raise Lost(f"the server said {self.heard[:200]!r}")

    async def send_text(self, message: Mapping[str, Any]) -> None:
        """Send a message over a WebSocket. Raises Lost, and TimeoutError."""
        frame = Frame(Opcode.TEXT, json.dumps(message).encode())
        await self.send(frame.serialize(mask=True))

    async def call_by_text(self, tool: str, arguments: Mapping[str, Any]) -> None:
        """Call a tool over a WebSocket. Raises Lost, and TimeoutError."""
        await self.send_text(stateless(tool, "call", arguments)[0])

    async def listen_by_text(self) -> None:
        """Listen for changes over a WebSocket. Raises Lost, and TimeoutError."""
        await self.send_text(listening("listen")[0])
        await self.hear(b"notifications/subscriptions/acknowledged")
