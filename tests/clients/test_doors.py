"""The official clients at every other door: HTTP+SSE, WebSocket and stdio."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import peers
from tests.clients.expected import seen_at, without_state
from tests.clients.test_clients import LACKS, Client
from tests.serving import Served

Environ = dict[str, str]


@dataclass(frozen=True)
class Shop:
    """The shop by every door that it has."""

    served: Served
    environ: Environ
    token: str

    @property
    def sse(self) -> str:
        return f"{self.served.origin}/sse"

    @property
    def websocket(self) -> str:
        return f"ws://127.0.0.1:{self.served.port}/ws"

    @property
    def stdio(self) -> str:
        """As in the configuration of a program that starts its servers."""
        command, *args = self.command
        env = {**self.environ, "MCP_TOKEN": self.token}
        return json.dumps({"command": command, "args": args, "env": env})

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "django", "mcp", "stdio"]


@pytest.fixture(scope="session")
def doors(shop: Served, shop_environ: Environ, token: str) -> Shop:
    return Shop(shop, shop_environ, token)


SSE: Callable[[Shop], str] = lambda shop: shop.sse  # noqa: E731
WEBSOCKET: Callable[[Shop], str] = lambda shop: shop.websocket  # noqa: E731
STDIO: Callable[[Shop], str] = lambda shop: shop.stdio  # noqa: E731

MET = {
    "sse": (
        SSE,
        [
            Client("python-sdk-1.8", "python_1.py", "2024-11-05"),
            Client("python-sdk-1.30", "python_1.py", "2025-11-25"),
            Client("python-sdk-2.3", "python_2.py", "2025-11-25", "legacy"),
            # It asks for the newest, which has no HTTP+SSE, and shakes hands then.
            Client("python-sdk-2.3", "python_2.py", "2025-11-25", "auto"),
            Client("typescript-sdk", "typescript_sdk.mjs", "2025-11-25"),
        ],
    ),
    "websocket": (
        WEBSOCKET,
        [
            Client("python-sdk-1.30", "python_1.py", "2025-11-25"),
            Client("typescript-sdk", "typescript_sdk.mjs", "2025-11-25"),
        ],
    ),
    "stdio": (
        STDIO,
        [
            Client("python-sdk-1.8", "python_1.py", "2024-11-05"),
            Client("python-sdk-1.30", "python_1.py", "2025-11-25"),
            Client("python-sdk-2.3", "python_2.py", "2025-11-25", "legacy"),
            Client("python-sdk-2.3", "python_2.py", "2026-07-28", "auto"),
            Client("typescript-sdk", "typescript_sdk.mjs", "2025-11-25"),
        ],
    ),
}
CASES = [
    pytest.param(address, client, id=f"{door}-{client.name}")
    for door, (address, clients) in MET.items()
    for client in clients
]


@pytest.mark.parametrize(("address", "client"), CASES)
def test_a_client_sees_everything(
    address: Callable[[Shop], str], client: Client, doors: Shop
) -> None:
    met = peers.run(
        client.command(address(doors)),
        environ={"TOKEN": doors.token},
        timeout_s=120,
    )
    assert met.returncode == 0, f"{met.stderr}\n{doors.served.said()}"
    seen: dict[str, Any] = without_state(json.loads(met.stdout))
    expected = seen_at(client.revision)
    if client.name in LACKS:
        LACKS[client.name](expected)
    del seen["calls"]["misuse"]
    for error in ("unknown tool", "unknown resource"):
        seen[error].pop("message", None)
    if client.environment == "typescript-sdk":
        # It drops progress that it was given and has not handed on yet when the
        # response comes, as it does at once here.
        progress = seen.pop("progress")
        assert progress == expected.pop("progress")[: len(progress)]
    assert seen == expected


def inspected(doors: Shop, transport: str, home: Path) -> list[Any]:
    """Return the tools that the Inspector lists."""
    header = ("--header", f"Authorization: Bearer {doors.token}")
    target: dict[str, list[str]] = {
        "http": [doors.served.url, *header],
        "sse": [doors.sse, *header],
        "stdio": [
            *doors.command,
            *("-e", f"MCP_TOKEN={doors.token}"),
            *(
                part
                for item in doors.environ.items()
                for part in ("-e", "=".join(item))
            ),
        ],
    }
    ran = peers.run(
        [
            peers.node_program("inspector", "mcp-inspector"),
            *("--cli", *target[transport], "--transport", transport),
            *("--method", "tools/list"),
        ],
        environ={"HOME": str(home)},
        timeout_s=60,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    tools: list[Any] = without_state(json.loads(ran.stdout))["tools"]
    return tools


@pytest.mark.parametrize("transport", ["http", "sse", "stdio"])
def test_the_inspector_lists_the_tools(
    transport: str, doors: Shop, tmp_path: Path
) -> None:
    assert inspected(doors, transport, tmp_path) == seen_at("2025-11-25")["tools"]


def curl(doors: Shop, *arguments: str) -> list[str]:
    return [
        *("curl", "--silent", "--no-buffer", "--max-time", "60"),
        *("--header", f"Authorization: Bearer {doors.token}"),
        *("--header", "Content-Type: application/json"),
        *arguments,
    ]


def test_curl_talks_by_two_commands(doors: Shop) -> None:
    hello = {
        "protocolVersion": "2024-11-05",
        "capabilities": {},
        "clientInfo": {"name": "curl", "version": "1"},
    }
    said: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": {"name": "whoami"}},
    ]
    listening = subprocess.Popen(
        curl(doors, doors.sse), stdout=subprocess.PIPE, text=True
    )
    heard: list[Any] = []
    with listening:
        assert listening.stdout is not None
        assert listening.stdout.readline() == "event: endpoint\n"
        place = listening.stdout.readline().removeprefix("data: ").strip()
        for message in said:
            body = json.dumps({"jsonrpc": "2.0", **message})
            posted = subprocess.run(
                curl(doors, "--data", body, f"{doors.served.origin}{place}"),
                capture_output=True,
                text=True,
                check=True,
            )
            assert posted.stdout == "Accepted"
            while "id" in message and len(heard) < message["id"]:
                line = listening.stdout.readline()
                if line.startswith("data: {"):
                    heard.append(json.loads(line.removeprefix("data: ")))
        listening.terminate()
    assert heard[0]["result"]["protocolVersion"] == "2024-11-05"
    assert heard[1]["result"]["content"] == [{"type": "text", "text": "ada"}]


def test_curl_speaks_the_plain_dialect(doors: Shop) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    body = json.dumps({**call, "params": {"name": "brew", "arguments": {"cups": 2}}})
    ran = subprocess.run(
        curl(
            doors,
            *("--header", "X-Session-ID: kettle", "--header"),
            *("Accept: text/event-stream", "--data", body, doors.served.url),
        ),
        capture_output=True,
        text=True,
        check=True,
    )
    events = [
        line.removeprefix("event: ")
        for line in ran.stdout.splitlines()
        if line.startswith("event: ") and line != "event: message"
    ]
    assert events == ["progress", "progress", "result", "done"]
