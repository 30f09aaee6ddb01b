"""One request to an application in this process, byte for byte as it was meant."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcp_transport.asgi import Application
from tests.wire.client import BOTH, META, MODERN
from tests.wire.doors import BOUND_S, LOOPBACK
from tests.wire.tokens import ALICE


def message(
    method: str,
    params: Mapping[str, Any] | None = None,
    **meta: str,
) -> bytes:
    """Return a request of the revision that needs no session."""
    described = {
        META + "protocolVersion": MODERN,
        META + "clientCapabilities": {},
        META + "clientInfo": {"name": "raw", "version": "1"},
        **meta,
    }
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": method,
        "params": {**(params or {}), "_meta": described},
    }
    return json.dumps(body).encode()


LIST = message("tools/list")
# What goes with it. None leaves a header out.
HEADERS: Mapping[str, str | None] = {
    "host": "localhost",
    "authorization": f"Bearer {ALICE}",
    "accept": BOTH,
    "content-type": "application/json",
    "mcp-protocol-version": MODERN,
    "mcp-method": "tools/list",
}


@dataclass(frozen=True)
class Answer:
    """The names of ``headers`` are in lower case."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def json(self) -> Any:
        return json.loads(self.body)


def http_scope(
    *,
    method: str = "POST",
    path: str = "/mcp",
    headers: Mapping[str, str | None] | None = None,
    client: tuple[str, int] | None = LOOPBACK,
    root_path: str = "",
    query: bytes = b"",
) -> dict[str, Any]:
    sent = {**HEADERS, **(headers or {})}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": root_path,
        "headers": [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in sent.items()
            if value is not None
        ],
        "client": client,
        "server": ("127.0.0.1", 80),
    }


async def ask(application: Application, body: bytes = LIST, **scope: Any) -> Answer:
    """Send one request, and stay until the reply is complete."""
    unread = [{"type": "http.request", "body": body}]
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not unread:
            await asyncio.Event().wait()
        return unread.pop()

    async def send(event: dict[str, Any]) -> None:
        said.append(event)

    async with asyncio.timeout(BOUND_S):
        await application(http_scope(**scope), receive, send)
    start, *parts = said
    assert start["type"] == "http.response.start"
    assert [part.get("more_body", False) for part in parts][-1] is False
    headers = [
        (name.decode("latin-1").lower(), value.decode("latin-1"))
        for name, value in start["headers"]
    ]
    return Answer(
        start["status"], headers, b"".join(part.get("body", b"") for part in parts)
    )
