"""The official clients, old and new, list, read and call everything in the shop."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import peers
from tests.clients.expected import seen_at, without_state
from tests.serving import Served

PROGRAMS = Path(__file__).parent / "programs"
CLIENT_TIMEOUT_S = 120

Seen = dict[str, Any]


@dataclass(frozen=True)
class Client:
    """A program, the environment that runs it, and the revision it comes to speak."""

    environment: str
    program: str
    revision: str
    mode: str = ""

    @property
    def name(self) -> str:
        return "-".join(filter(None, (self.environment, self.mode)))

    def command(self, url: str) -> list[str | Path]:
        program = PROGRAMS / self.program
        mode = [self.mode] if self.mode else []
        if program.suffix == ".mjs":
            directory = peers.environment(self.environment)
            return ["node", program, directory, url, *mode]
        return [peers.python(self.environment), program, url, *mode]

    def meet(self, served: Served, token: str) -> Seen:
        """Run the program against a server; return what it says it saw."""
        met = peers.run(
            self.command(served.url),
            environ={"TOKEN": token},
            timeout_s=CLIENT_TIMEOUT_S,
        )
        assert met.returncode == 0, f"{met.stderr}\n{served.said()}"
        seen: Seen = without_state(json.loads(met.stdout))
        return seen


# Of the Python SDK the last release that asks for each of the revisions of old.
CLIENTS = [
    Client("python-sdk-1.8", "python_1.py", "2024-11-05"),
    Client("python-sdk-1.9", "python_1.py", "2025-03-26"),
    Client("python-sdk-1.23", "python_1.py", "2025-06-18"),
    Client("python-sdk-1.30", "python_1.py", "2025-11-25"),
    Client("python-sdk-2.3", "python_2.py", "2025-11-25", "legacy"),
    Client("python-sdk-2.3", "python_2.py", "2026-07-28", "auto"),
    Client("fastmcp", "fastmcp_4.py", "2025-11-25", "legacy"),
    Client("fastmcp", "fastmcp_4.py", "2026-07-28", "auto"),
    Client("typescript-sdk", "typescript_sdk.mjs", "2025-11-25"),
    Client("typescript-client", "typescript_client.mjs", "2025-11-25", "legacy"),
    Client("typescript-client", "typescript_client.mjs", "2026-07-28", "auto"),
]


def no_progress(seen: Seen) -> None:
    """Release 1.8 of the Python SDK has no way to ask for progress."""
    seen["progress"] = []


def no_changes(seen: Seen) -> None:
    """FastMCP's client has no way to subscribe."""
    del seen["changes"]


def own_code(seen: Seen) -> None:
    """Release 2 of the TypeScript SDK says -32602 for a server's -32002."""
    seen["unknown resource"]["code"] = -32602


LACKS: dict[str, Callable[[Seen], None]] = {
    "python-sdk-1.8": no_progress,
    "fastmcp-legacy": no_changes,
    "fastmcp-auto": no_changes,
    "typescript-client-legacy": own_code,
}


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_client_sees_everything(client: Client, shop: Served, token: str) -> None:
    seen = client.meet(shop, token)
    expected = seen_at(client.revision)
    if client.name in LACKS:
        LACKS[client.name](expected)

    misuse = seen["calls"].pop("misuse")
    assert misuse["isError"] is True
    assert misuse["content"][0]["text"].startswith("Invalid arguments:\n- item: ")
    for error in ("unknown tool", "unknown resource"):
        seen[error].pop("message", None)
    assert seen == expected


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_no_client_comes_in_without_a_token(shop: Served, mode: str) -> None:
    said_before = len(shop.said())
    client = Client("python-sdk-2.3", "python_2.py", "", mode)
    met = peers.run(
        client.command(shop.url),
        environ={"TOKEN": "mcp_" + "x" * 40},
        timeout_s=CLIENT_TIMEOUT_S,
    )
    answered = re.findall(r'"POST /mcp" (\d+)', shop.said()[said_before:])
    assert (met.returncode, met.stdout) == (1, "")
    assert set(answered) == {"401"}
