"""Configurations: what each client expects, at any address."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from mcp_transport.protocol.revisions import LATEST
from mcpsite.clients import TOKEN, curl, guides

ENDPOINT = "https://mcp.example.com/mcp"


def snippet(key: str, endpoint: str = ENDPOINT) -> str:
    (found,) = [g.snippet for g in guides("docs", endpoint) if g.key == key]
    return found


def words(key: str, endpoint: str = ENDPOINT) -> list[str]:
    return shlex.split(snippet(key, endpoint).replace("\\\n", " "))


def configuration(key: str, endpoint: str = ENDPOINT) -> Any:
    return json.loads(snippet(key, endpoint))


def test_claude_code_adds_a_server_with_a_header() -> None:
    assert words("claude-code") == [
        *("claude", "mcp", "add", "--transport", "http", "docs", ENDPOINT),
        *("--header", f"Authorization: Bearer {TOKEN}"),
    ]


def test_claude_desktop_starts_a_bridge() -> None:
    server = configuration("claude-desktop")["mcpServers"]["docs"]
    assert server == {
        "command": "npx",
        "args": ["-y", "mcp-remote", ENDPOINT, "--header", "Authorization:${AUTH}"],
        "env": {"AUTH": f"Bearer {TOKEN}"},
    }


@pytest.mark.parametrize(
    ("endpoint", "allowed"),
    [
        ("http://localhost:8000/mcp", False),
        ("http://127.0.0.1:8000/mcp", False),
        ("http://[::1]:8000/mcp", False),
        ("https://mcp.example.com/mcp", False),
        ("http://mcp.example.com/mcp", True),
        ("http://localhost.example.com/mcp", True),
    ],
)
def test_the_bridge_is_told_of_plain_http_beyond_this_machine(
    endpoint: str, allowed: bool
) -> None:
    args = configuration("claude-desktop", endpoint)["mcpServers"]["docs"]["args"]
    assert ("--allow-http" in args) is allowed


def test_local_programs_start_the_project_itself() -> None:
    server = configuration("claude-desktop-stdio")["mcpServers"]["docs"]
    command = [server["command"], *server["args"]]
    assert command[-3:] == ["/path/to/project/manage.py", "mcp", "stdio"]
    assert server["env"] == {"MCP_TOKEN": TOKEN}
    assert words("claude-code-stdio") == [
        *("claude", "mcp", "add", "docs", "--env", f"MCP_TOKEN={TOKEN}", "--"),
        *command,
    ]


def test_cursor_takes_the_token_from_the_environment() -> None:
    server = configuration("cursor")["mcpServers"]["docs"]
    assert server == {
        "url": ENDPOINT,
        "headers": {"Authorization": "Bearer ${env:MCP_TOKEN}"},
    }


def test_vs_code_asks_for_the_token() -> None:
    found = configuration("vs-code")
    (asked,) = found["inputs"]
    server = found["servers"]["docs"]
    assert (asked["type"], asked["password"]) == ("promptString", True)
    assert (server["type"], server["url"]) == ("http", ENDPOINT)
    assert server["headers"] == {
        "Authorization": f"Bearer ${{input:{asked['id']}}}",
    }


def test_the_inspector_calls_a_tool() -> None:
    assert words("inspector") == [
        *("npx", "-y", "@modelcontextprotocol/inspector", "--cli", ENDPOINT),
        *("--transport", "http", "--header", f"Authorization: Bearer {TOKEN}"),
        *("--method", "tools/call", "--tool-name", "search_docs"),
        *("--tool-arg", "query=token"),
    ]


def test_curl_sends_what_the_newest_revision_requires() -> None:
    args = shlex.split(curl(ENDPOINT, "mcp_x_y").replace("\\\n", " "))
    assert args[:3] == ["curl", "-sS", ENDPOINT]
    headers = dict(
        args[at + 1].split(": ", 1) for at, arg in enumerate(args) if arg == "-H"
    )
    body = json.loads(args[args.index("--data") + 1])
    assert headers == {
        "Authorization": "Bearer mcp_x_y",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": LATEST.name,
        "Mcp-Method": body["method"],
        "Mcp-Name": body["params"]["name"],
    }
    meta = body["params"]["_meta"]
    assert meta["io.modelcontextprotocol/protocolVersion"] == LATEST.name
    assert meta["io.modelcontextprotocol/clientCapabilities"] == {}


@pytest.mark.parametrize("key", ["claude-code", "inspector", "curl"])
def test_an_address_cannot_leave_its_word_in_a_shell(key: str) -> None:
    hostile = "http://localhost/$(reboot)'\";/mcp"
    assert hostile in words(key, hostile)
