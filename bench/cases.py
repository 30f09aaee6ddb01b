"""The requests that are measured, and what their replies must say."""

from __future__ import annotations

import gzip
import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bench.load import FIRST_ID, PATIENCE_S, Script, WrongReply
from bench.servers import BARE, VIEW, Server

STATELESS = "2026-07-28"
STATEFUL = "2025-11-25"
CLIENT = {"name": "bench", "version": "1"}
TEXT = "The quick brown fox jumps over the lazy dog."

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of request. ``holds`` tells a good result from a bad one.

    ``compressed`` asks for a reply in gzip, as most clients do.
    """

    name: str
    revision: str
    method: str
    params: Mapping[str, Any]
    tools: int
    holds: Callable[[Json], bool]
    compressed: bool = False

    def request(self, number: int, session_id: str | None) -> tuple[Json, Json]:
        """Return the headers and the message of request ``number``."""
        params = dict(self.params)
        headers = {"MCP-Protocol-Version": self.revision}
        if self.compressed:
            headers["Accept-Encoding"] = "gzip"
        if self.revision == STATELESS:
            params["_meta"] = claim()
            headers["Mcp-Method"] = self.method
            if "name" in params:
                headers["Mcp-Name"] = params["name"]
        else:
            headers["Mcp-Session-Id"] = session_id or "s" * 32
        message = {"jsonrpc": "2.0", "id": number, "method": self.method}
        return headers, {**message, "params": params}


def claim() -> Json:
    """Return the ``_meta`` by which a stateless request says who asks."""
    prefix = "io.modelcontextprotocol/"
    return {
        f"{prefix}protocolVersion": STATELESS,
        f"{prefix}clientInfo": CLIENT,
        f"{prefix}clientCapabilities": {},
    }


def _echoes(result: Json) -> bool:
    return result.get("content") == [{"type": "text", "text": TEXT}] and not result.get(
        "isError"
    )


def _lists(count: int) -> Callable[[Json], bool]:
    def holds(result: Json) -> bool:
        names = {tool["name"] for tool in result["tools"] if tool["inputSchema"]}
        return len(names) == count and "nextCursor" not in result

    return holds


def _call(name: str, revision: str) -> Case:
    params = {"name": "echo", "arguments": {"text": TEXT}}
    return Case(name, revision, "tools/call", params, 10, _echoes)


def _list(tools: int) -> Case:
    name = f"list-{tools}"
    return Case(name, STATELESS, "tools/list", {}, tools, _lists(tools))


def _gzipped(case: Case) -> Case:
    return replace(case, name=f"{case.name}-gzip", compressed=True)


CASES = (
    _call("call-2026", STATELESS),
    _call("call-2025", STATEFUL),
    _list(10),
    _list(1000),
    _gzipped(_list(1000)),
)


@dataclass(frozen=True, slots=True)
class Client:
    """Sends single messages to one server, as one caller."""

    server: Server
    token: str

    def encoded(self, headers: Mapping[str, str], message: Json) -> bytes:
        """Return a POST as it goes over the wire."""
        body = json.dumps(message, separators=(",", ":")).encode()
        lines = [
            f"POST {self.server.mount.path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.server.port}",
            *(f"{name}: {value}" for name, value in self._all(headers).items()),
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def post(self, headers: Mapping[str, str], message: Json) -> tuple[bytes, str]:
        """Send one message; return the reply's body and its session id, or "".

        Raises WrongReply for a status that is not 200 or 202.
        """
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.server.port, timeout=PATIENCE_S
        )
        try:
            connection.request(
                "POST",
                self.server.mount.path,
                json.dumps(message),
                self._all(headers),
            )
            reply = connection.getresponse()
            body = reply.read()
        finally:
            connection.close()
        if reply.status not in {200, 202}:
            raise WrongReply(f"{message['method']}: {reply.status} {body[:1000]!r}")
        return body, reply.getheader("Mcp-Session-Id", "")

    def open_session(self) -> str:
        """Do the handshake of the stateful revisions; return the session's id."""
        params = {
            "protocolVersion": STATEFUL,
            "capabilities": {},
            "clientInfo": CLIENT,
        }
        hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
        body, session_id = self.post({}, hello)
        agreed = json.loads(body)["result"]["protocolVersion"]
        if agreed != STATEFUL or not session_id:
            raise WrongReply(f"no session of {STATEFUL}: {body[:1000]!r}")
        headers = {"MCP-Protocol-Version": STATEFUL, "Mcp-Session-Id": session_id}
        self.post(headers, {"jsonrpc": "2.0", "method": "notifications/initialized"})
        return session_id

    def _all(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            **headers,
        }


def script(case: Case, client: Client) -> Script:
    """Ask once, judge the reply by what it means, and build the load from it.

    The bare servers get the same bytes as ours. Raises WrongReply.
    """
    bare = client.server.mount in {BARE, VIEW}
    session_id = None
    if case.revision == STATEFUL and not bare:
        session_id = client.open_session()
    headers, message = case.request(FIRST_ID, session_id)
    reply, _ = client.post(headers, message)
    sample = client.encoded(headers, message)
    if bare:
        return Script(_numbered(sample), lambda number: reply)
    answer = json.loads(gzip.decompress(reply) if case.compressed else reply)
    if answer.get("id") != FIRST_ID or not case.holds(answer.get("result", {})):
        raise WrongReply(f"{case.name}: {reply[:2000]!r}")
    if case.compressed:
        # The id cannot be told in what is compressed: here all have the same.
        return Script(lambda number: sample, lambda number: reply)
    return Script(_numbered(sample), _numbered(reply))


def _numbered(sample: bytes) -> Callable[[int], bytes]:
    """Return what gives the sample with another id in place of its own."""
    before, found, after = sample.partition(b"%d" % FIRST_ID)
    if not found or b"%d" % FIRST_ID in after:
        raise WrongReply(f"its id is not there once: {sample[:1000]!r}")

    def numbered(number: int) -> bytes:
        return b"%b%d%b" % (before, number, after)

    return numbered
