"""The messages that a client sends in the recordings."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]


def called(id: int, tool: str, token: str | None = None, **arguments: Any) -> Json:
    """Return a call; with ``token`` its progress is asked for."""
    params: Json = {"name": tool, "arguments": arguments}
    if token is not None:
        params["_meta"] = {"progressToken": token}
    return {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}


def initialize(revision: str, **capabilities: Json) -> Json:
    return {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": revision,
            "capabilities": capabilities,
            "clientInfo": {"name": "reader", "version": "1"},
        },
    }


def initialized() -> Json:
    return {"jsonrpc": "2.0", "method": "notifications/initialized"}


def to_oslo(question: str) -> Json:
    """Return the answer to the question where an order is to go."""
    return {
        "jsonrpc": "2.0",
        "id": json.loads(question)["id"],
        "result": {"action": "accept", "content": {"city": "Oslo"}},
    }
