"""One caller of one server: single messages, handshakes and open streams."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.load import PATIENCE_S, WrongReply
from bench.servers import Server
from bench.wire import (
    BLANK_LINE,
    connected,
    data_of,
    framed,
    read_until,
    unframed,
)

STATELESS = "2026-07-28"
STATEFUL = "2025-11-25"
INFO = {"name": "bench", "version": "1"}
ACKNOWLEDGED = b"notifications/subscriptions/acknowledged"
END_OF_EVENT = b"\n\n"

Json = dict[str, Any]


def request(method: str, params: Json, number: int = 1) -> Json:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def claim() -> Json:
    """Return the ``_meta`` by which a stateless request says who asks."""
    prefix = "io.modelcontextprotocol/"
    return {
        f"{prefix}protocolVersion": STATELESS,
        f"{prefix}clientInfo": INFO,
        f"{prefix}clientCapabilities": {},
    }


def stateless(method: str, params: Json) -> tuple[Json, Json]:
    """Return the headers and the params of a request that says who asks."""
    headers = {"MCP-Protocol-Version": STATELESS, "Mcp-Method": method}
    if "name" in params:
        headers["Mcp-Name"] = params["name"]
    return headers, {**params, "_meta": {**params.get("_meta", {}), **claim()}}


def encoded(message: Json) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


HELLO = request(
    "initialize",
    {"protocolVersion": STATEFUL, "capabilities": {}, "clientInfo": INFO},
)
READY: Json = {"jsonrpc": "2.0", "method": "notifications/initialized"}


@dataclass(frozen=True, slots=True)
class Client:
    """Raises WrongReply, in every method, for a server that does not play along."""

    server: Server
    token: str

    # Single messages.

    def posting(
        self, headers: Mapping[str, str], message: Json, path: str | None = None
    ) -> bytes:
        """Return a POST as it goes over the wire."""
        body = encoded(message)
        lines = [
            f"POST {path or self.server.mount.path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.server.post_port}",
            *self._lines(self._posted(headers)),
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join(lines).encode() + BLANK_LINE + body

    def post(
        self, headers: Mapping[str, str], message: Json, path: str | None = None
    ) -> tuple[bytes, str]:
        """Send one message; return the reply's body and its session id, or "".

        Every status but 200 and 202 is a wrong reply.
        """
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.server.post_port, timeout=PATIENCE_S
        )
        try:
            connection.request(
                "POST",
                path or self.server.mount.path,
                encoded(message),
                self._posted(headers),
            )
            reply = connection.getresponse()
            body = reply.read()
        finally:
            connection.close()
        if reply.status not in {200, 202}:
            raise WrongReply(f"{message['method']}: {reply.status} {body[:1000]!r}")
        return body, reply.getheader("Mcp-Session-Id", "")

    def _posted(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            **headers,
        }

    @staticmethod
    def _lines(headers: Mapping[str, str]) -> list[str]:
        return [f"{name}: {value}" for name, value in headers.items()]

    # Sessions and streams.

    def open_session(self) -> str:
        """Do the handshake of the stateful revisions; return the session's id."""
        body, session_id = self.post({}, HELLO)
        _check_agreed(body)
        if not session_id:
            raise WrongReply("the session has no id")
        self.post(self.of_session(session_id), READY)
        return session_id

    @staticmethod
    def of_session(session_id: str) -> dict[str, str]:
        return {"MCP-Protocol-Version": STATEFUL, "Mcp-Session-Id": session_id}

    def open_stream(self) -> socket.socket:
        """Open the GET stream of a new session."""
        headers = self.of_session(self.open_session())
        stream, _ = self._opened(self.server.mount.path, headers, BLANK_LINE)
        return stream

    def open_subscription(self) -> socket.socket:
        """Open a stream that listens for changes of the tools, without a session."""
        method = "subscriptions/listen"
        wanted = {"notifications": {"toolsListChanged": True}}
        headers, params = stateless(method, wanted)
        posting = self.posting(headers, request(method, params))
        stream = connected(self.server.post_port, posting)
        _check_opened(read_until([stream], ACKNOWLEDGED)[0], b"200")
        return stream

    def open_sse(self) -> tuple[socket.socket, str]:
        """Open HTTP+SSE, with its handshake where a protocol is spoken; return the
        stream and the path to post to.
        """
        stream, said = self._opened("/sse", {}, END_OF_EVENT)
        path = data_of(said)[0].decode()
        if self.server.mount.speaks:
            self.post({}, HELLO, path)
            _check_agreed(data_of(read_until([stream], END_OF_EVENT)[0])[0])
            self.post({}, READY, path)
        return stream, path

    def open_websocket(self) -> socket.socket:
        """Open a WebSocket, with the handshake where a protocol is spoken."""
        upgrade = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Protocol": "mcp",
        }
        connection = connected(self.server.port, self._getting("/ws", upgrade))
        _check_opened(read_until([connection], BLANK_LINE)[0], b"101")
        if self.server.mount.speaks:
            connection.sendall(framed(encoded(HELLO)))
            said = read_until([connection], b"}")[0]
            _check_agreed(unframed(said) or b"")
            # Once it has answered the second, it has taken the first.
            connection.sendall(
                framed(encoded(READY)) + framed(encoded(request("ping", {})))
            )
            read_until([connection], b"}")
        return connection

    def _opened(
        self, path: str, headers: Mapping[str, str], needle: bytes
    ) -> tuple[socket.socket, bytes]:
        getting = self._getting(path, {"Accept": "text/event-stream", **headers})
        stream = connected(self.server.port, getting)
        said = read_until([stream], needle)[0]
        _check_opened(said, b"200")
        return stream, said

    def _getting(self, path: str, headers: Mapping[str, str]) -> bytes:
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.server.port}",
            f"Authorization: Bearer {self.token}",
            *self._lines(headers),
        ]
        return "\r\n".join(lines).encode() + BLANK_LINE


def _check_agreed(body: bytes) -> None:
    """Raises WrongReply unless a handshake agreed on our revision."""
    result = json.loads(body or b"{}").get("result", {})
    if result.get("protocolVersion") != STATEFUL:
        raise WrongReply(f"no session of {STATEFUL}: {body[:1000]!r}")


def _check_opened(head: bytes, status: bytes) -> None:
    if not head.startswith(b"HTTP/1.1 %b " % status):
        raise WrongReply(f"not opened: {head[:1000]!r}")
