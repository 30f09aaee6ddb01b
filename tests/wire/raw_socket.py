"""Requests byte by byte, which no client library would send."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

BOUND_S = 20
MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}
CALL = {"name": "echo", "arguments": {"text": "good"}}

Line = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response; ``code`` is that of its JSON-RPC error, if it is one."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def code(self) -> int | None:
        if self.headers.get_content_type() != "application/json":
            return None
        said = json.loads(self.body)
        code = said.get("error", {}).get("code") if isinstance(said, dict) else None
        return None if code is None else int(code)


def request(params: Any = None, **members: Any) -> dict[str, Any]:
    """Return a good call of the stateless revision, with other members or params."""
    call = {**CALL, **(params or {}), "_meta": META}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call} | members


GOOD = json.dumps(request()).encode()


def lines(port: int, token: str, body: bytes | None = GOOD) -> dict[str, str]:
    """Return the headers of a good call, by name."""
    headers = {
        "Host": f"127.0.0.1:{port}",
        "Authorization": f"Bearer {token}",
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
        "MCP-Protocol-Version": MODERN,
        "Mcp-Method": "tools/call",
        "Mcp-Name": "echo",
        "Connection": "close",
    }
    return headers if body is None else {**headers, "Content-Length": str(len(body))}


def head(headers: dict[str, str], *more: bytes, start: bytes | None = None) -> bytes:
    """Return everything before the body; ``more`` are lines as they are."""
    said = [start or b"POST /mcp HTTP/1.1"]
    said += [f"{name}: {value}".encode() for name, value in headers.items()]
    return b"\r\n".join([*said, *more, b"", b""])


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), BOUND_S) as connection:
        yield connection


def read(connection: socket.socket, method: str = "POST") -> Answer:
    """Return the one response that comes; raises when none does."""
    response = http.client.HTTPResponse(connection, method=method)
    with response:
        response.begin()
        return Answer(response.status, response.headers, response.read())


def exchange(port: int, data: bytes) -> Answer:
    """Send bytes on a connection of their own and return what answers them."""
    with connected(port) as connection:
        connection.sendall(data)
        return read(connection)
