"""The smallest client of the newest revision: one request, one JSON answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from tests.serving import Served

REVISION = "2026-07-28"
META = "io.modelcontextprotocol"
NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


def ask(
    served: Served,
    method: str,
    *,
    capabilities: Mapping[str, Any] | None = None,
    **params: Any,
) -> dict[str, Any]:
    """Send a request of a client with the given capabilities; return the response."""
    params["_meta"] = {
        f"{META}/protocolVersion": REVISION,
        f"{META}/clientInfo": {"name": "test", "version": "1"},
        f"{META}/clientCapabilities": capabilities or {},
    }
    headers = {
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": REVISION,
        "Mcp-Method": method,
    }
    if method in NAMED:
        headers["Mcp-Name"] = params[NAMED[method]]
    answer = httpx.post(
        served.url,
        json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params},
        headers=headers,
        timeout=30,
    )
    assert answer.headers["content-type"] == "application/json"
    message: dict[str, Any] = answer.json()
    assert (message["jsonrpc"], message["id"]) == ("2.0", 1)
    return message
