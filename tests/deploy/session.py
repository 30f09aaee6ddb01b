"""A session of a stateful revision, from its beginning to its end."""

from __future__ import annotations

import httpx

from deploy.servers import HOST

STATEFUL = "2025-11-25"


def use_a_session(port: int, token: str) -> None:
    """Open a session and its stream, use it five times and end it.

    No request says by which process.
    """
    with httpx.Client(
        base_url=f"http://{HOST}:{port}",
        headers={
            "Authorization": f"Bearer {token}",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": STATEFUL,
        },
        timeout=30,
    ) as client:
        opened = client.post("/mcp", json=message("initialize", 1))
        assert opened.status_code == 200
        session = {"Mcp-Session-Id": opened.headers["mcp-session-id"]}
        with client.stream("GET", "/mcp", headers=session) as stream:
            assert stream.status_code == 200
        for number in range(2, 7):
            reply = client.post("/mcp", json=message("ping", number), headers=session)
            assert reply.status_code == 200
        assert client.delete("/mcp", headers=session).is_success
        gone = client.post("/mcp", json=message("ping", 7), headers=session)
        assert gone.status_code == 404


def message(method: str, number: int) -> dict[str, object]:
    params: dict[str, object] = {}
    if method == "initialize":
        params = {
            "protocolVersion": STATEFUL,
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        }
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
