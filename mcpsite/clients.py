"""How each client is told to connect: configuration, ready to be copied.

No real token is ever put in: the reader replaces ``TOKEN``.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mcp_transport.protocol.revisions import LATEST

TOKEN = "YOUR_TOKEN"
# Where the project is, as far as a page may tell: the real path is nobody's business.
PYTHON = "/path/to/project/.venv/bin/python"
STDIO = ["/path/to/project/manage.py", "mcp", "stdio"]
CREATE_TOKEN = "python manage.py mcp tokens create laptop --user admin --scope '*'"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Guide:
    """One client: where the snippet goes, and the snippet."""

    key: str
    client: str
    where: str
    snippet: str
    note: str = ""


def guides(name: str, endpoint: str) -> list[Guide]:
    """Return the guides to the server ``name`` at the URL ``endpoint``."""
    return [*_hosts(name, endpoint), *_local(name), *_developer_tools(endpoint)]


def _hosts(name: str, endpoint: str) -> list[Guide]:
    return [
        Guide(
            "claude-code",
            "Claude Code",
            "Run in a terminal, in the project that needs the server.",
            claude_code(name, endpoint),
            "Add --scope user before the name to have it in every project.",
        ),
        Guide(
            "claude-desktop",
            "Claude Desktop",
            "Settings → Developer → Edit Config: claude_desktop_config.json.",
            claude_desktop(name, endpoint),
            "The file starts local programs only, so mcp-remote (Node.js 20 or "
            "later) carries the messages here.",
        ),
        Guide(
            "cursor",
            "Cursor",
            "~/.cursor/mcp.json, or .cursor/mcp.json in a project.",
            cursor(name, endpoint),
            "Cursor reads the token from the environment variable MCP_TOKEN.",
        ),
        Guide(
            "vs-code",
            "VS Code",
            ".vscode/mcp.json in a workspace.",
            vs_code(name, endpoint),
            "VS Code asks for the token once and keeps it as a secret.",
        ),
    ]


def _local(name: str) -> list[Guide]:
    return [
        Guide(
            "claude-code-stdio",
            "Claude Code (stdio)",
            "Run in a terminal of the machine that this project is on.",
            claude_code_stdio(name),
            "Starts a process of its own, without a port. Put in the path to the "
            "project.",
        ),
        Guide(
            "claude-desktop-stdio",
            "Claude Desktop (stdio)",
            "claude_desktop_config.json, on the machine that this project is on.",
            claude_desktop_stdio(name),
            "Starts a process of its own, without a port. Put in the path to the "
            "project.",
        ),
    ]


def _developer_tools(endpoint: str) -> list[Guide]:
    return [
        Guide(
            "inspector",
            "MCP Inspector",
            "Run in a terminal (Node.js 22.19 or later).",
            inspector(endpoint),
            "Without --cli and what follows --method it opens in the browser.",
        ),
        Guide(
            "curl",
            "curl",
            "Run in a terminal. One request is one POST: there is no handshake.",
            curl(endpoint, TOKEN),
        ),
    ]


def claude_code(name: str, endpoint: str) -> str:
    return (
        f"claude mcp add --transport http {name} {shlex.quote(endpoint)} \\\n"
        f'  --header "Authorization: Bearer {TOKEN}"'
    )


def claude_desktop(name: str, endpoint: str) -> str:
    # Some systems split arguments at blanks, so "Bearer ..." is in a variable.
    args = ["-y", "mcp-remote", endpoint, "--header", "Authorization:${AUTH}"]
    address = urlsplit(endpoint)
    if address.scheme == "http" and address.hostname not in LOOPBACK:
        args.append("--allow-http")
    server = {
        "command": "npx",
        "args": args,
        "env": {"AUTH": f"Bearer {TOKEN}"},
    }
    return _json({"mcpServers": {name: server}})


def claude_code_stdio(name: str) -> str:
    return (
        f"claude mcp add {name} --env MCP_TOKEN={TOKEN} -- \\\n"
        f"  {shlex.join([PYTHON, *STDIO])}"
    )


def claude_desktop_stdio(name: str) -> str:
    server = {"command": PYTHON, "args": STDIO, "env": {"MCP_TOKEN": TOKEN}}
    return _json({"mcpServers": {name: server}})


def cursor(name: str, endpoint: str) -> str:
    headers = {"Authorization": "Bearer ${env:MCP_TOKEN}"}
    return _json({"mcpServers": {name: {"url": endpoint, "headers": headers}}})


def vs_code(name: str, endpoint: str) -> str:
    token = {
        "type": "promptString",
        "id": "mcp-token",
        "description": f"Token for {name}",
        "password": True,
    }
    server = {
        "type": "http",
        "url": endpoint,
        "headers": {"Authorization": "Bearer ${input:mcp-token}"},
    }
    return _json({"inputs": [token], "servers": {name: server}})


def inspector(endpoint: str) -> str:
    return (
        f"npx -y @modelcontextprotocol/inspector --cli {shlex.quote(endpoint)} \\\n"
        f'  --transport http --header "Authorization: Bearer {TOKEN}" \\\n'
        "  --method tools/call --tool-name search_docs --tool-arg query=token"
    )


def curl(endpoint: str, token: str) -> str:
    """Return a ``tools/call`` at the newest revision as one shell command.

    Spec: 2026-07-28 basic/transports/streamable-http #required-headers.
    """
    tool = "search_docs"
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {
            "name": tool,
            "arguments": {"query": "bearer token", "limit": 3},
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": LATEST.name,
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        },
    }
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": LATEST.name,
        "Mcp-Method": "tools/call",
        "Mcp-Name": tool,
    }
    lines = [f"curl -sS {shlex.quote(endpoint)}"]
    lines += [f"-H {shlex.quote(f'{key}: {value}')}" for key, value in headers.items()]
    lines.append(f"--data {shlex.quote(json.dumps(call))}")
    return " \\\n  ".join(lines)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2)
