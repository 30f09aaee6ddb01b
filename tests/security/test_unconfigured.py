"""A new project with the app and its urls, and not one setting: nobody gets in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from tests.serving import ROOT, Served, daphne

PROJECT = "mysite"
BOUND_S = 60
URLS = """
from django.urls import include

urlpatterns += [path("", include("mcp_transport.urls"))]
"""
MOUNTED = """
from mcp_transport.asgi import mount

mounted = mount(application)
"""
# What a page on a reader's machine might try, and what a thief might.
TOKENS = [None, "x", "mcp_p29sf39u4nnt_" + "a" * 43, "undefined", "null"]
BODY = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
DOORS: list[tuple[str, str, Mapping[str, str]]] = [
    ("POST", "/mcp", {}),
    ("POST", "/mcp/", {}),
    ("POST", "/mcp", {"X-Session-ID": "desk"}),
    ("GET", "/mcp", {"Accept": "text/event-stream"}),
    ("GET", "/mcp?session=desk", {}),
    ("DELETE", "/mcp", {"Mcp-Session-Id": "some"}),
    ("GET", "/sse", {"Accept": "text/event-stream"}),
    ("GET", "/sse/", {}),
    ("POST", "/message?sessionId=some", {}),
    ("POST", "/message/", {}),
    ("PUT", "/mcp", {}),
]
ORIGINS = ["http://localhost", "http://127.0.0.1:{port}", "https://a.example", "null"]


class Project:
    """What ``django-admin startproject`` makes, with the app and its urls."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.environ = {
            **{k: v for k, v in os.environ.items() if not k.startswith("DJANGO_")},
            "PYTHONPATH": str(ROOT),
        }
        self._run("-m", "django", "startproject", PROJECT, ".")
        self.append("settings", '\nINSTALLED_APPS += ["mcp_transport"]\n')
        self.append("urls", URLS)
        self.append("asgi", MOUNTED)

    def append(self, module: str, text: str) -> None:
        with (self.directory / PROJECT / f"{module}.py").open("a") as file:
            file.write(text)

    def check(self, *options: str) -> tuple[int, str]:
        """Return the exit status of ``manage.py check``, and what it said."""
        ran = self._run("manage.py", "check", *options, fails=True)
        return ran.returncode, ran.stdout + ran.stderr

    def _run(self, *args: str, fails: bool = False) -> Any:
        return subprocess.run(
            [sys.executable, *args],
            cwd=self.directory,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=BOUND_S,
            check=not fails,
        )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("unconfigured"))


@pytest.fixture(scope="module", params=["application", "mounted"])
def served(project: Project, request: pytest.FixtureRequest) -> Iterator[Served]:
    """Each mount of the project, by daphne as it comes."""
    name: str = request.param
    with daphne(
        f"{PROJECT}.asgi:{name}",
        project.directory / f"{name}.log",
        cwd=project.directory,
        environ={"PYTHONPATH": str(ROOT)},
    ) as served:
        yield served


def ask(
    served: Served, method: str, path: str, headers: Mapping[str, str]
) -> httpx.Response:
    body = json.dumps(BODY).encode() if method in ("POST", "PUT") else None
    sent = {
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
        **headers,
    }
    return httpx.request(
        method,
        f"http://127.0.0.1:{served.port}{path}",
        content=body,
        headers=sent,
        timeout=BOUND_S,
    )


def bearing(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("token", TOKENS)
def test_every_door_refuses_every_token(served: Served, token: str | None) -> None:
    for method, path, headers in DOORS:
        response = ask(served, method, path, {**headers, **bearing(token)})
        assert response.status_code == 401, (method, path, served.said())
        assert response.headers["www-authenticate"].startswith("Bearer ")
        assert "tools" not in response.text


@pytest.mark.parametrize("origin", ORIGINS)
def test_every_door_refuses_every_page(served: Served, origin: str) -> None:
    sent = {"Origin": origin.format(port=served.port), **bearing(TOKENS[2])}
    for method, path, headers in DOORS:
        response = ask(served, method, path, {**headers, **sent})
        assert response.status_code == 403, (method, path, served.said())
        assert "access-control-allow-origin" not in response.headers


def test_a_foreign_host_is_refused(served: Served) -> None:
    response = ask(served, "POST", "/mcp", {"Host": "evil.example"})
    # Under urls.py Django's own middleware is there first.
    assert response.status_code in (400, 403)


def test_a_preflight_grants_nothing(served: Served) -> None:
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    response = ask(served, "OPTIONS", "/mcp", asked)
    assert response.status_code == 403
    assert "access-control-allow-origin" not in response.headers


@pytest.fixture(scope="module")
def mounted(project: Project) -> Iterator[Served]:
    with daphne(
        f"{PROJECT}.asgi:mounted",
        project.directory / "sockets.log",
        cwd=project.directory,
        environ={"PYTHONPATH": str(ROOT)},
    ) as served:
        yield served


def socket(served: Served, offered: list[str], headers: Mapping[str, str]) -> connect:
    return connect(
        f"ws://127.0.0.1:{served.port}/ws",
        subprotocols=[Subprotocol(name) for name in offered],
        additional_headers=headers,
        open_timeout=BOUND_S,
        proxy=None,
    )


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("by_header", [True, False])
async def test_a_websocket_is_closed_before_it_says_anything(
    mounted: Served, token: str | None, by_header: bool
) -> None:
    offered = ["mcp", *([f"token-{token}"] if token and not by_header else [])]
    headers = bearing(token) if by_header else {}
    async with socket(mounted, offered, headers) as connection:
        with pytest.raises(ConnectionClosed) as caught:
            await connection.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 4401


@pytest.mark.parametrize("origin", ORIGINS)
async def test_a_websocket_of_a_page_is_refused(mounted: Served, origin: str) -> None:
    headers = {"Origin": origin.format(port=mounted.port)}
    with pytest.raises(InvalidStatus) as caught:
        async with socket(mounted, ["mcp"], headers):
            pytest.fail("the handshake was accepted")
    assert caught.value.response.status_code == 403


def test_the_check_says_in_plain_words_what_to_configure(project: Project) -> None:
    status, said = project.check()
    assert status == 0  # A project may be in the making.
    assert "mcp_transport.W001" in said
    assert "Nobody can use the MCP endpoint: no authenticator is configured" in said
    assert 'MCP = {"AUTHENTICATORS": ["tools_app.tokens.TokenAuthenticator"]}' in said
    assert "manage.py mcp tokens create" in said
    assert said.count("mcp_transport.") == said.count("mcp_transport.W001") == 1


def test_without_debug_the_check_stops_what_is_not_configured(
    tmp_path: Path,
) -> None:
    project = Project(tmp_path)
    project.append("settings", "\nDEBUG = False\n")
    status, said = project.check()
    assert status == 1
    assert "(mcp_transport.E008) ALLOWED_HOSTS is empty" in said
    assert "HINT: Name the hosts that clients reach the server by" in said
    assert "mcp_transport.W001" in said
    status, said = project.check("--deploy")
    assert status == 1
    assert "(mcp_transport.W007) Nothing says that the server is reached over" in said


def test_what_the_check_says_is_enough(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.append(
        "settings",
        'INSTALLED_APPS += ["tools_app"]\n'
        'MCP = {"AUTHENTICATORS": ["tools_app.tokens.TokenAuthenticator"]}\n',
    )
    assert project.check("--fail-level", "WARNING")[0] == 0
