"""Requests byte by byte, which no client library would send."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

BOUND_S = 20
MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}
CALL = {"name": "echo", "arguments": {"text": "good"}, "_meta": META}
Json = dict[str, Any]


def request(**members: Any) -> Json:
    """Return a good call of the stateless revision, with other members."""
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": CALL}
    return message | members


GOOD = json.dumps(request()).encode()


@dataclass(frozen=True, slots=True)
class Sent:
    """A good call, but for what is said here.

    ``without`` names headers to leave out, ``lines`` are more header lines as
    they are, and ``start`` is another request line.
    """

    body: bytes = GOOD
    without: tuple[str, ...] = ()
    lines: tuple[bytes, ...] = ()
    start: bytes = b"POST /mcp HTTP/1.1"
    length: int | None = None

    def headers(self, port: int, token: str) -> dict[str, str]:
        length = len(self.body) if self.length is None else self.length
        headers = {
            "Host": f"127.0.0.1:{port}",
            "Authorization": f"Bearer {token}",
            "Accept": "application/json, text/event-stream",
            "Content-Type": "application/json",
            "MCP-Protocol-Version": MODERN,
            "Mcp-Method": "tools/call",
            "Mcp-Name": "echo",
            "Content-Length": str(length),
            "Connection": "close",
        }
        return {k: v for k, v in headers.items() if k not in self.without}

    def head(self, port: int, token: str) -> bytes:
        """Return everything before the body."""
        headers = self.headers(port, token)
        named = [f"{name}: {value}".encode() for name, value in headers.items()]
        return b"\r\n".join([self.start, *named, *self.lines, b"", b""])

    def data(self, port: int, token: str) -> bytes:
        return self.head(port, token) + self.body


def chunked(body: bytes, size: int = 1000) -> bytes:
    """Return a body in the chunks of RFC 9112 section 7.1."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> int | None:
        """The code of the JSON-RPC error, or None for what is none."""
        if self.headers.get("Content-Type") != "application/json" or not self.body:
            return None
        said = json.loads(self.body)
        return None if "result" in said else int(said["error"]["code"])


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), BOUND_S) as connection:
        yield connection


def read(connection: socket.socket, method: str = "POST") -> Answer | None:
    """Return the one response, or None when the connection ends without any."""
    with http.client.HTTPResponse(connection, method=method) as response:
        try:
            response.begin()
        except ConnectionError:
            return None
        return Answer(response.status, dict(response.getheaders()), response.read())


def exchange(port: int, data: bytes) -> Answer | None:
    """Send bytes on a connection of their own and return what answers them."""
    with connected(port) as connection:
        # Who is refused before all was read may still find the answer there.
        with suppress(ConnectionError):
            connection.sendall(data)
        return read(connection, "HEAD" if data.startswith(b"HEAD ") else "POST")
