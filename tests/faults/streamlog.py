"""The streams as they lie in Redis, read past the store that wrote them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import redis

LOGS = "mcp:session:*:log:*"


def logged(client: redis.Redis) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield each stream's key and its messages."""
    for key in client.scan_iter(LOGS):
        entries: Any = client.xrange(key)
        yield key.decode(), [json.loads(fields[b"d"]) for _, fields in entries]


def answers_per_request(client: redis.Redis) -> Counter[str]:
    """Count the responses to each request, by its stream and id."""
    return Counter(
        f"{key} {message['id']}"
        for key, messages in logged(client)
        for message in messages
        if "method" not in message
    )
