"""The requests that are measured, and what their replies must say."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from bench.client import (
    END_OF_EVENT,
    STATEFUL,
    STATELESS,
    Client,
    Json,
    encoded,
    request,
    stateless,
)
from bench.load import FIRST_ID, Load, Peer, WrongReply
from bench.peers import Correspondent, Follower, Poster, Script, Speaker
from bench.servers import (
    BARE,
    BARE_BURST,
    BARE_STEPS,
    LEAN,
    LEDGER,
    METRICS,
    OBSERVED,
    RATED,
    RATED_REDIS,
    REDIS,
    TWO,
    UNGUARDED,
    URLS,
    VIEW,
    Mount,
)
from bench.wire import data_of, framed, read_until, unframed

TEXT = "The quick brown fox jumps over the lazy dog."
STEPS = 100
PROGRESS = "notifications/progress"
CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """How clients of one server are connected, and the ids of their requests."""

    connect: Callable[[], Peer]
    numbers: Iterator[int] = field(default_factory=lambda: count(FIRST_ID + 1))

    def load(self, clients: int) -> Load:
        return Load([self.connect() for _ in range(clients)], self.numbers)


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of request. ``holds`` tells a good result from a bad one.

    ``plan`` says how the request goes and its reply comes; ``mounts`` take turns,
    and the first is what the others are compared with. ``compressed`` asks for a
    reply in gzip, as most clients do.
    """

    name: str
    revision: str
    method: str
    params: Mapping[str, Any]
    holds: Callable[[Json], bool]
    plan: Callable[[Case, Client], Plan]
    mounts: tuple[Mount, ...] = (BARE, LEAN, URLS, VIEW)
    tools: int = 10
    clients: int = CONNECTIONS
    compressed: bool = False

    def request(self, number: int, session_id: str | None) -> tuple[Json, Json]:
        """Return the headers and the message of request ``number``."""
        params = dict(self.params)
        if self.revision == STATELESS:
            headers, params = stateless(self.method, params)
        else:
            headers = Client.of_session(session_id or "s" * 32)
        if self.compressed:
            headers["Accept-Encoding"] = "gzip"
        return headers, request(self.method, params, number)

    def judge(self, reply: bytes) -> None:
        """Raises WrongReply for a response to the first request that is not good."""
        answer = json.loads(reply)
        if answer.get("id") != FIRST_ID or not self.holds(answer.get("result", {})):
            raise WrongReply(f"{self.name}: {reply[:2000]!r}")


# How the request goes, and its reply comes. Each way asks once, judges the reply
# by what it means, and builds the load from it. The bare servers get the same
# bytes as ours. All raise WrongReply.


def posted(case: Case, client: Client) -> Plan:
    """The reply is the body of the response."""
    headers, message = _first(case, client)
    reply, _ = client.post(headers, message)
    sample = client.posting(headers, message)
    if not client.server.mount.speaks:
        script = Script(_numbered(sample), _always(reply))
    elif case.compressed:
        case.judge(gzip.decompress(reply))
        # The id cannot be told in what is compressed: here all have the same.
        script = Script(_always(sample), _always(reply))
    else:
        case.judge(reply)
        script = Script(_numbered(sample), _numbered(reply))
    return Plan(lambda: Poster(client.server.post_port, script))


def streamed(case: Case, client: Client) -> Plan:
    """The reply is a stream of events: the response, behind STEPS others."""
    headers, message = _first(case, client)
    events, _ = client.post(headers, message)
    said = data_of(events)
    if len(said) != STEPS + 1:
        raise WrongReply(f"{case.name}: {len(said)} events, {events[:1000]!r}")
    sample, reply = client.posting(headers, message), b"\n".join(said)
    if client.server.mount.speaks:
        *steps, response = said
        if not all(map(_is_step, steps, range(1, STEPS + 1))):
            raise WrongReply(f"{case.name}: {events[:2000]!r}")
        case.judge(response)
        script = Script(_numbered(sample), _numbered(reply))
    else:
        script = Script(_numbered(sample), _always(reply))
    return Plan(lambda: Follower(client.server.post_port, script))


def over_sse(case: Case, client: Client) -> Plan:
    """The reply is an event on a stream that is open already."""
    _, message = case.request(FIRST_ID, None)
    stream, path = client.open_sse()
    with stream:
        client.post({}, message, path)
        reply = data_of(read_until([stream], END_OF_EVENT)[0])[0]
    if client.server.mount.speaks:
        case.judge(reply)
        expected = _numbered(reply)
    else:
        expected = _always(reply)

    def connect() -> Peer:
        stream, path = client.open_sse()
        script = Script(_numbered(client.posting({}, message, path)), expected)
        return Correspondent(stream, client.server.post_port, script)

    return Plan(connect)


def over_websocket(case: Case, client: Client) -> Plan:
    """The reply is a message on a WebSocket; the bare one echoes the request."""
    _, message = case.request(FIRST_ID, None)
    sample = encoded(message)
    with client.open_websocket() as connection:
        connection.sendall(framed(sample))
        reply = unframed(read_until([connection], b"}}")[0]) or b""
    if client.server.mount.speaks:
        case.judge(reply)
    asked = _numbered(sample)
    script = Script(lambda number: framed(asked(number)), _numbered(reply))
    return Plan(lambda: Speaker(client.open_websocket(), script))


def _first(case: Case, client: Client) -> tuple[Json, Json]:
    """Return the headers and the message of the first request of all."""
    session_id = None
    if case.revision == STATEFUL and client.server.mount.speaks:
        session_id = client.open_session()
    return case.request(FIRST_ID, session_id)


def _is_step(message: bytes, step: int) -> bool:
    said: Json = json.loads(message)
    named: bool = said["method"] == PROGRESS
    return named and said["params"]["progress"] == step


def _numbered(sample: bytes) -> Callable[[int], bytes]:
    """Return what gives the sample with another id in place of its own."""
    before, found, after = sample.partition(b"%d" % FIRST_ID)
    if not found or b"%d" % FIRST_ID in after:
        raise WrongReply(f"its id is not there once: {sample[:1000]!r}")

    def numbered(number: int) -> bytes:
        return b"%b%d%b" % (before, number, after)

    return numbered


def _always(same: bytes) -> Callable[[int], bytes]:
    return lambda number: same


def _says(text: str) -> Callable[[Json], bool]:
    def holds(result: Json) -> bool:
        content = [{"type": "text", "text": text}]
        return result.get("content") == content and not result.get("isError")

    return holds


def _lists(count: int) -> Callable[[Json], bool]:
    def holds(result: Json) -> bool:
        names = {tool["name"] for tool in result["tools"] if tool["inputSchema"]}
        return len(names) == count and "nextCursor" not in result

    return holds


def _call(name: str, revision: str, mounts: tuple[Mount, ...]) -> Case:
    params = {"name": "echo", "arguments": {"text": TEXT}}
    return Case(name, revision, "tools/call", params, _says(TEXT), posted, mounts)


def _list(tools: int) -> Case:
    name = f"list-{tools}"
    listed = _lists(tools)
    return Case(name, STATELESS, "tools/list", {}, listed, posted, tools=tools)


def _work(name: str, revision: str, mounts: tuple[Mount, ...]) -> Case:
    """Without pauses all events are there at once; with them, one by one."""
    params = {
        "name": "work",
        "arguments": {"steps": STEPS, "pausing": BARE_STEPS in mounts},
        "_meta": {"progressToken": "bench"},
    }
    done = _says(str(STEPS))
    return Case(name, revision, "tools/call", params, done, streamed, mounts)


_CALL_2025 = _call("call-2025", STATEFUL, (BARE, LEAN, REDIS, URLS, VIEW))
_SSE = replace(_CALL_2025, name="sse", plan=over_sse, mounts=(BARE, LEAN, REDIS, TWO))
CASES = (
    _call("call-2026", STATELESS, (BARE, LEAN, URLS, VIEW)),
    _CALL_2025,
    _call("guards", STATELESS, (BARE, UNGUARDED, LEAN, RATED, RATED_REDIS)),
    _call("observers", STATELESS, (BARE, LEAN, LEDGER, METRICS, OBSERVED)),
    _list(10),
    _list(1000),
    replace(_list(1000), name="list-1000-gzip", compressed=True),
    _work("burst-2026", STATELESS, (BARE_BURST, LEAN)),
    _work("burst-2025", STATEFUL, (BARE_BURST, LEAN, REDIS)),
    _work("steps-2026", STATELESS, (BARE_STEPS, LEAN)),
    _work("steps-2025", STATEFUL, (BARE_STEPS, LEAN, REDIS)),
    _SSE,
    replace(_SSE, name="sse-alone", clients=1),
    replace(_CALL_2025, name="websocket", plan=over_websocket, mounts=(BARE, LEAN)),
)
