"""Many open streams: what each one costs, and what a change to all of them."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median

from bench.client import Client, request, stateless
from bench.load import WrongReply
from bench.servers import COMMANDS, LEAN, REDIS, URLS, Mount, Server
from bench.stage import Stage
from bench.wire import read_until

MOST = 5000
STREAMS_PER_TOKEN = 8
TOKENS = -(-MOST // STREAMS_PER_TOKEN)
CHANGES = 5
SETTLE_S = 2.0
CHANGED = b"notifications/tools/list_changed"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of stream: ``open`` opens one. Without ``counts`` there are as many
    as the command line says.
    """

    name: str
    open: Callable[[Client], socket.socket]
    mounts: tuple[Mount, ...] = (LEAN,)
    counts: tuple[int, ...] = ()
    commands: Sequence[str] = tuple(COMMANDS)


def _open_sse(client: Client) -> socket.socket:
    stream, _ = client.open_sse()
    return stream


def _crowd(name: str, open: Callable[[Client], socket.socket]) -> Kind:
    return Kind(name, open, counts=(1000, MOST), commands=("daphne",))


FAN_OUTS = (
    Kind("streams-2025", Client.open_stream, (LEAN, REDIS, URLS)),
    Kind("streams-2026", Client.open_subscription, (LEAN, URLS)),
    Kind("streams-sse", _open_sse),
    Kind("streams-websocket", Client.open_websocket),
)
CROWDS = (
    _crowd("crowd-2025", Client.open_stream),
    _crowd("crowd-2026", Client.open_subscription),
    _crowd("crowd-sse", _open_sse),
    _crowd("crowd-websocket", Client.open_websocket),
)


@dataclass(frozen=True, slots=True)
class Use:
    """What the server holds at one moment."""

    threads: int
    rss_kb: int

    @classmethod
    def of(cls, server: Server) -> Use:
        return cls(server.threads(), server.rss_kb())


@dataclass(frozen=True, slots=True)
class Told:
    """What it took to tell all streams of one change."""

    cpu_us: float
    last_ms: float


@dataclass(slots=True)
class Outcome:
    """What ``count`` streams cost one server, before, while and after they were
    open, and the changes that they heard of.
    """

    kind: str
    command: str
    server: Server
    count: int
    uses: list[Use] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    memory: Outcome | None = None

    def cells(self) -> list[str]:
        before, during, _ = self.uses
        grown_kb = during.rss_kb - before.rss_kb
        return [
            self.kind,
            self.command,
            self.server.mount.name,
            str(self.count),
            *(str(use.threads) for use in self.uses),
            *(f"{use.rss_kb / 1024:.1f}" for use in self.uses),
            f"{grown_kb / self.count:.1f}",
            f"{median(told.cpu_us for told in self.told) / self.count:.0f}",
            self._ratio(),
            f"{median(told.last_ms for told in self.told):.1f}",
        ]

    def _ratio(self) -> str:
        """Compare what is kept in Redis with what is kept in memory."""
        if self.memory is None:
            return ""
        pairs = zip(self.told, self.memory.told, strict=True)
        return f"{median(own.cpu_us / other.cpu_us for own, other in pairs):.2f}"


HEADINGS = (
    "case",
    "server",
    "mount",
    "streams",
    "threads before",
    "with",
    "after",
    "RSS MB before",
    "with",
    "after",
    "KB per stream",
    "us per message",
    "x memory",
    "ms to the last",
)


def measure(stage: Stage, kind: Kind, command: str, count: int) -> list[Outcome]:
    """Open the streams of all mounts, change their lists of tools in turn, round
    by round, and close them.

    Every stream must open, and hear of each change. Raises WrongReply.
    """
    outcomes: list[Outcome] = []
    with ExitStack() as running:
        for mount in kind.mounts:
            server = running.enter_context(stage.serving(command, mount, 10))
            with _opened(stage, kind, server, 1) as streams:
                _told(stage, server, streams)
            outcomes.append(Outcome(kind.name, command, server, count))
        _note_uses(outcomes)
        with ExitStack() as opened:
            turns = [
                (
                    outcome,
                    opened.enter_context(_opened(stage, kind, outcome.server, count)),
                )
                for outcome in outcomes
            ]
            _note_uses(outcomes)
            for _ in range(CHANGES):
                for outcome, streams in turns:
                    outcome.told.append(_told(stage, outcome.server, streams))
        _note_uses(outcomes)
    for outcome in outcomes:
        if outcome.server.mount.redis:
            outcome.memory = outcomes[0]
    return outcomes


def _note_uses(outcomes: Sequence[Outcome]) -> None:
    """Note what the servers hold once they had time to let go of what has ended."""
    time.sleep(SETTLE_S)
    for outcome in outcomes:
        outcome.uses.append(Use.of(outcome.server))


@contextmanager
def _opened(
    stage: Stage, kind: Kind, server: Server, count: int
) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                kind.open(Client(server, stage.tokens[number // STREAMS_PER_TOKEN]))
            )
            for number in range(count)
        ]


def _told(stage: Stage, server: Server, streams: Sequence[socket.socket]) -> Told:
    """Change the list of tools, by a call, and wait until all have heard."""
    headers, params = stateless("tools/call", {"name": "grow", "arguments": {}})
    client = Client(server, stage.tokens[-1])
    cpu_s, start_s = server.cpu_s(), time.perf_counter()
    body, _ = client.post(headers, request("tools/call", params))
    read_until(streams, CHANGED)
    last_s, cpu_s = time.perf_counter() - start_s, server.cpu_s() - cpu_s
    result = json.loads(body).get("result", {})
    if result.get("isError") or "content" not in result:
        raise WrongReply(f"the list of tools did not change: {body[:1000]!r}")
    return Told(cpu_s * 1e6, last_s * 1e3)
