"""The site as it is started: two commands, then real requests to a real port."""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mcpsite.documents import PROJECT

DAPHNE = [sys.executable, "-m", "daphne"]


@dataclass(frozen=True)
class Site:
    port: int
    welcome: str
    log: Path

    def get(
        self, path: str, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        return self.send("GET", path, headers)

    def send(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: str | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        data = response.read()
        connection.close()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    var = tmp_path_factory.mktemp("site")
    # Connections wait at our socket until daphne, which inherits it, is ready.
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DJANGO_", "MCP"))
    }
    environment |= {
        "MCPSITE_VAR_DIR": str(var / "var"),
        "MCPSITE_DOCS_ROOT": str(Path(__file__).parent / "documents"),
        "PORT": str(port),
        "PYTHONWARNINGS": "default",
    }
    welcome = subprocess.run(
        [sys.executable, "manage.py", "firststart"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    log = var / "log"
    with log.open("w") as output, listener:
        fd = listener.fileno()
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "daphne",
                "--fd",
                f"{fd}",
                "mcpsite.asgi:application",
            ],
            cwd=PROJECT,
            env=environment,
            stdout=output,
            stderr=output,
            pass_fds=[fd],
        )
    try:
        yield Site(port, welcome.stdout, log)
    finally:
        process.terminate()
        process.wait(30)


def test_the_command_that_the_first_start_shows_works(site: Site) -> None:
    (command,) = re.findall(r"^curl .*?[^\\]$", site.welcome, re.MULTILINE | re.DOTALL)
    args = shlex.split(command.replace("\\\n", " "))
    assert args[2] == f"http://127.0.0.1:{site.port}/mcp"
    headers = dict(
        args[at + 1].split(": ", 1) for at, arg in enumerate(args) if arg == "-H"
    )
    body = args[args.index("--data") + 1]
    status, _, reply = site.send("POST", "/mcp", headers, body)
    assert status == 200, reply
    result = json.loads(reply)["result"]
    assert result["resultType"] == "complete"
    assert result["structuredContent"]["query"] == "bearer token"


def test_without_a_token_there_is_no_answer(site: Site) -> None:
    status, headers, reply = site.send("POST", "/mcp", {}, "{}")
    assert status == 401
    assert headers["www-authenticate"].startswith("Bearer ")
    assert b"search_docs" not in reply


def test_pages_and_health_are_served(site: Site) -> None:
    status, _, page = site.get("/")
    assert status == 200
    assert f"http://127.0.0.1:{site.port}/mcp".encode() in page
    assert site.get("/health")[0] == 200
    assert site.get("/docs/lamp.md")[2].startswith(b"# The lamp")
    status, headers, _ = site.get("/admin/")
    assert (status, headers["location"]) == (302, "/admin/login/?next=/admin/")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/static/admin/css/base.css", "text/css"),
        ("/static/mcpsite/site.css", "text/css"),
        ("/static/mcpsite/copy.js", "text/javascript"),
        ("/static/mcpsite/icon.svg", "image/svg+xml"),
    ],
)
def test_static_files_are_served_without_being_collected(
    site: Site, path: str, kind: str
) -> None:
    status, headers, data = site.get(path)
    assert (status, headers["content-type"].partition(";")[0]) == (200, kind)
    assert len(data) == int(headers["content-length"]) > 0
    again = site.get(path, {"If-None-Match": headers["etag"]})
    assert (again[0], again[2]) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../manage.py",
        "/static/%2e%2e/manage.py",
        "/static/mcpsite/../../settings.py",
        "/static//etc/passwd",
        "/docs/../manage.py",
        "/docs/..%2fmanage.md",
        "/var/secret_key",
    ],
)
def test_no_other_file_is_served(site: Site, path: str) -> None:
    assert site.get(path)[0] == 404


def test_a_page_of_another_site_may_not_call(site: Site) -> None:
    token = re.findall(r"mcp_\w+", site.welcome)[0]
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Origin": "https://evil.example",
    }
    status, answered, _ = site.send("POST", "/mcp", headers, "{}")
    assert status == 403
    assert "access-control-allow-origin" not in answered


def test_a_page_of_our_own_may_ask_to_call(site: Site) -> None:
    origin = f"http://localhost:{site.port}"
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": (
            "authorization, content-type, mcp-method, mcp-name, mcp-protocol-version"
        ),
    }
    status, answered, _ = site.send("OPTIONS", "/mcp", headers)
    assert status in (200, 204)
    assert answered["access-control-allow-origin"] == origin
    allowed = set(answered["access-control-allow-headers"].split(", "))
    assert {"authorization", "mcp-protocol-version", "last-event-id"} <= allowed


def test_the_log_has_no_secrets_and_no_warnings(site: Site) -> None:
    log = site.log.read_text()
    assert "GET / " in log or '"GET /"' in log
    for token in re.findall(r"mcp_\w{20,}", site.welcome):
        assert token not in log
    assert "Warning" not in log
    assert "Traceback" not in log
