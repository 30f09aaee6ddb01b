"""``script/server`` on a machine that has Python and nothing of ours."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.serving import ROOT

START_S = 300
STOP_S = 15
NEEDED = (
    *("LICENSE", "README.md", "docs", "manage.py", "mcp_transport", "mcpsite"),
    *("pyproject.toml", "requirements.txt", "script", "templates", "tools_app"),
)
TOKEN = re.compile(r"\bmcp_[\w-]{20,}")
PING = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/list",
    "params": {
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    },
}
HEADERS = {
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "tools/list",
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def environ(**more: str) -> dict[str, str]:
    """Return a reader's environment: no virtual environment, no settings."""
    unwanted = ("DJANGO_", "MCP", "PYTEST_", "PYTHON", "VIRTUAL_ENV")
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(unwanted)},
        **more,
    }


@contextmanager
def started(checkout: Path, port: int) -> Iterator[str]:
    """Start the server from elsewhere; give what it said until it listened."""
    process = subprocess.Popen(
        [checkout / "script" / "server"],
        cwd="/",
        env=environ(PORT=str(port)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watchdog = threading.Timer(START_S, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Listening on" in line:
                break
        else:
            pytest.fail(f"script/server ended before it listened:\n{said}")
        yield said
    finally:
        watchdog.cancel()
        process.terminate()
        process.communicate(timeout=STOP_S)


def tools(port: int, token: str) -> httpx.Response:
    return httpx.post(
        f"http://127.0.0.1:{port}/mcp",
        json=PING,
        headers={**HEADERS, "Authorization": f"Bearer {token}"},
        timeout=30,
    )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what a checkout holds to a path with a blank in it."""
    directory = tmp_path_factory.mktemp("fresh machine")
    for name in NEEDED:
        if (ROOT / name).is_dir():
            unwanted = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, directory / name, ignore=unwanted)
        else:
            shutil.copy(ROOT / name, directory)
    return directory


def test_the_first_start_makes_everything_and_the_second_serves_it(
    checkout: Path,
) -> None:
    port = free_port()
    with started(checkout, port) as said:
        (token,) = set(TOKEN.findall(said))
        listed = tools(port, token)
        assert listed.status_code == 200
        assert len(listed.json()["result"]["tools"]) > 2
        wrong = token[:-1] + ("a" if token[-1] != "a" else "b")
        assert tools(port, wrong).status_code == 401
        admin = httpx.get(f"http://127.0.0.1:{port}/admin/login/", timeout=30)
        assert admin.status_code == 200
        (style,) = re.findall(r'href="(\S+/base\.css)"', admin.text)
        assert httpx.get(f"http://127.0.0.1:{port}{style}").status_code == 200

    port = free_port()
    with started(checkout, port) as said:
        assert "Installing" not in said
        assert not TOKEN.search(said)
        assert "password" not in said.lower()
        assert tools(port, token).json()["result"] == listed.json()["result"]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"PORT": "http"}, 'server: PORT is "http"; it must be a number.'),
        ({"PYTHON": "/nowhere/python"}, "server: no /nowhere/python with the venv"),
    ],
)
def test_what_is_wrong_is_said_in_words(
    tmp_path: Path, variables: dict[str, str], said: str
) -> None:
    """Without the rest of the project: each of these ends before it is needed."""
    shutil.copytree(ROOT / "script", tmp_path / "script")
    shutil.copy(ROOT / "requirements.txt", tmp_path)
    ran = subprocess.run(
        [tmp_path / "script" / "server"],
        env=environ(**{"PYTHON": "/nowhere/python", **variables}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr
