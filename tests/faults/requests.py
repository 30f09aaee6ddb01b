"""Messages, and how they are sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from deploy.servers import Served
from mcp_transport.protocol.peer import CAPABILITIES_KEY, LOG_LEVEL_KEY, VERSION_KEY
from mcp_transport.protocol.revisions import LATEST
from tests.faults.connection import Connection
from tests.wire.tokens import ALICE

Json = dict[str, Any]
Headers = Mapping[str, str]

HEADERS: Headers = {
    "Authorization": f"Bearer {ALICE}",
    "Accept": "application/json, text/event-stream",
    "Content-Type": "application/json",
}


class Refused(Exception):
    """A status that was not to be expected here."""


def request(method: str, id: str, params: Mapping[str, Any]) -> Json:
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


def stateless(tool: str, id: str, arguments: Mapping[str, Any]) -> tuple[Json, Headers]:
    """Return a call of the revision that needs no session, and its headers."""
    params = {"name": tool, "arguments": arguments}
    message, headers = _stateless("tools/call", id, params)
    return message, {**headers, "Mcp-Name": tool}


def listening(id: str) -> tuple[Json, Headers]:
    """Return a request for the stream of what changes, and its headers."""
    wanted = {"notifications": {"toolsListChanged": True}}
    return _stateless("subscriptions/listen", id, wanted)


def _stateless(
    method: str, id: str, params: Mapping[str, Any]
) -> tuple[Json, dict[str, str]]:
    meta = {VERSION_KEY: LATEST.name, CAPABILITIES_KEY: {}, LOG_LEVEL_KEY: "info"}
    headers = {
        **HEADERS,
        "MCP-Protocol-Version": LATEST.name,
        "Mcp-Method": method,
    }
    return request(method, id, {**params, "_meta": meta}), headers


async def post(
    member: Served, message: Mapping[str, Any], headers: Headers
) -> Connection:
    """Send a message; the head of the reply has come. Raises Lost."""
    connection = Connection()
    await connection.ask(member.port, "POST", headers, json.dumps(message).encode())
    return connection


def outcome(reply: Mapping[str, Any]) -> str:
    """Return how a call was answered: result, failed (in-band) or error."""
    if "error" in reply:
        return "error"
    return "failed" if reply["result"].get("isError") else "result"
