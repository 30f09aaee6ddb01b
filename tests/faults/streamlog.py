"""The streams as they lie in Redis, read past the store that wrote them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import redis

from mcp_transport.engine.eventlog import STANDING
from tests.faults.invariants import of
from tests.faults.journal import Entry

LOGS = "mcp:session:*:log:*"


def logged(client: redis.Redis) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield each stream, as session/stream, and its messages."""
    for key in client.scan_iter(LOGS):
        entries: Any = client.xrange(key)
        session, _, stream = key.decode().split(":", 2)[2].rpartition(":log:")
        yield (
            f"{session}/{stream}",
            [json.loads(fields[b"d"]) for _, fields in entries],
        )


def answers_per_request(client: redis.Redis) -> Counter[str]:
    """Count the responses to each request, by its stream and id."""
    return Counter(
        f"{stream} {message['id']}"
        for stream, messages in logged(client)
        for message in messages
        if "method" not in message
    )


def not_as_heard(client: redis.Redis, entries: Sequence[Entry]) -> list[str]:
    """Return what is wrong with the log: an entry that is there twice, or a stream
    that somebody has heard otherwise than it is there.
    """
    heard: Counter[str] = Counter(
        entry["stream"].rpartition(".")[0] for entry in of(entries, "event")
    )
    wrong = []
    for stream, messages in logged(client):
        keys = Counter(_key(message) for message in messages)
        wrong += [f"{stream} has {k} {n} times" for k, n in keys.items() if n > 1]
        # On a standing stream nobody may listen any more.
        if len(messages) != heard[stream] and not stream.endswith(f"/{STANDING}"):
            wrong.append(f"{stream} has {len(messages)}, heard were {heard[stream]}")
    return wrong


def _key(message: dict[str, Any]) -> str:
    """Return what tells a message from all others of its stream."""
    if "method" not in message:
        return f"the response to {message['id']}"
    params = message["params"]
    return f"number {params['data']['number']}" if "data" in params else params["uri"]
