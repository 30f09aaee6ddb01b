"""Many open streams: what each one costs, and what a change to all of them."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from bench.cases import STATEFUL, STATELESS, Client, Json, claim
from bench.load import BLANK_LINE, CHUNK_BYTES, OK, PATIENCE_S, WrongReply
from bench.servers import Server

STREAMS = 300
STREAMS_PER_TOKEN = 8
SETTLE_S = 2.0
CHANGED = b"notifications/tools/list_changed"
ACKNOWLEDGED = b"notifications/subscriptions/acknowledged"

Opening = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of stream. ``opening`` gives the request that opens one, and what
    the server must have said for it to be open.
    """

    name: str
    opening: Callable[[Client], Opening]


def _get(client: Client) -> Opening:
    headers = {"MCP-Protocol-Version": STATEFUL}
    headers["Mcp-Session-Id"] = client.open_session()
    post = client.encoded({**headers, "Accept": "text/event-stream"}, {})
    head, _, _ = post.partition(b"\r\nContent-Length")
    return head.replace(b"POST", b"GET", 1) + BLANK_LINE, BLANK_LINE


def _listen(client: Client) -> Opening:
    method = "subscriptions/listen"
    headers = {"MCP-Protocol-Version": STATELESS, "Mcp-Method": method}
    params = {"_meta": claim(), "notifications": {"toolsListChanged": True}}
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return client.encoded(headers, message), ACKNOWLEDGED


KINDS = (Kind("streams-2025", _get), Kind("streams-2026", _listen))


@dataclass(frozen=True, slots=True)
class Use:
    """What the server holds at one moment."""

    threads: int
    rss_kb: int

    @classmethod
    def of(cls, server: Server) -> Use:
        return cls(server.threads(), server.rss_kb())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What ``STREAMS`` streams cost one server."""

    kind: str
    server: str
    mount: str
    before: Use
    during: Use
    after: Use
    change_cpu_us: float

    def cells(self) -> list[str]:
        uses = (self.before, self.during, self.after)
        grown_kb = self.during.rss_kb - self.before.rss_kb
        return [
            self.kind,
            self.server,
            self.mount,
            *(str(use.threads) for use in uses),
            *(f"{use.rss_kb / 1024:.1f}" for use in uses),
            f"{grown_kb / STREAMS:.1f}",
            f"{self.change_cpu_us:.0f}",
        ]


HEADINGS = (
    "case",
    "server",
    "mount",
    "threads before",
    "with",
    "after",
    "RSS MB before",
    "with",
    "after",
    "KB per stream",
    "us per message",
)


def measure(kind: Kind, command: str, server: Server, tokens: Sequence[str]) -> Outcome:
    """Open the streams, change the list of tools, close them.

    Every stream must open, and hear of the change. Raises WrongReply.
    """
    clients = [
        Client(server, tokens[number // STREAMS_PER_TOKEN]) for number in range(STREAMS)
    ]
    with _opened(kind, clients[:1]) as streams:
        _change(clients[0])
        _await(streams, CHANGED)
    before = _settled(server)
    with _opened(kind, clients) as streams:
        during = Use.of(server)
        cpu_s = server.cpu_s()
        _change(clients[0])
        _await(streams, CHANGED)
        change_s = server.cpu_s() - cpu_s
    after = _settled(server)
    change_us = change_s / STREAMS * 1e6
    return Outcome(
        kind.name, command, server.mount.name, before, during, after, change_us
    )


@contextmanager
def _opened(kind: Kind, clients: Sequence[Client]) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        streams = []
        for client in clients:
            request, greeting = kind.opening(client)
            stream = socket.create_connection(
                ("127.0.0.1", client.server.port), PATIENCE_S
            )
            stack.enter_context(stream)
            stream.sendall(request)
            head = _await([stream], greeting)[0]
            if not head.startswith(OK) or b"text/event-stream" not in head:
                raise WrongReply(f"{kind.name} did not open: {head[:1000]!r}")
            streams.append(stream)
        yield streams


def _change(client: Client) -> None:
    params = {"name": "grow", "arguments": {}, "_meta": claim()}
    headers = {
        "MCP-Protocol-Version": STATELESS,
        "Mcp-Method": "tools/call",
        "Mcp-Name": "grow",
    }
    message: Json = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    body, _ = client.post(headers, {**message, "params": params})
    result = json.loads(body).get("result", {})
    if result.get("isError") or "content" not in result:
        raise WrongReply(f"the list of tools did not change: {body[:1000]!r}")


def _await(streams: Sequence[socket.socket], needle: bytes) -> list[bytes]:
    """Read each stream until it has said ``needle``; return what each one said.

    Raises WrongReply for a stream that ended, TimeoutError for a silent one.
    """
    said = {stream.fileno(): b"" for stream in streams}
    by_number = {stream.fileno(): stream for stream in streams}
    poll = select.poll()
    for stream in streams:
        poll.register(stream, select.POLLIN)
    waiting = set(said)
    deadline_s = time.monotonic() + PATIENCE_S
    while waiting:
        ready = poll.poll(PATIENCE_S * 1000)
        if not ready or time.monotonic() > deadline_s:
            silent = [said[number][-1000:] for number in list(waiting)[:3]]
            raise TimeoutError(
                f"{len(waiting)} streams never said {needle!r}: {silent}"
            )
        for number, _ in ready:
            chunk = by_number[number].recv(CHUNK_BYTES)
            if not chunk:
                raise WrongReply(f"a stream ended: {said[number][-1000:]!r}")
            said[number] += chunk
            if needle in said[number]:
                waiting.discard(number)
                poll.unregister(number)
    return [said[stream.fileno()] for stream in streams]


def _settled(server: Server) -> Use:
    """Return what the server holds once it had time to let go of closed streams."""
    time.sleep(SETTLE_S)
    return Use.of(server)
