"""What nginx lets through to the processes, and how: by deploy/nginx.conf itself."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.deploy.public import PublicNginx, public_nginx
from tests.serving import HOST, Served, daphnes, nginx

BOUND_S = 30
MIRROR = "tests.deploy.mirror:application"
BEHIND = ("--proxy-headers",)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("public")


@pytest.fixture(scope="module")
def mirrors(directory: Path) -> Iterator[list[Served]]:
    environ = {"GATE": str(directory / "gate")}
    with daphnes(2, MIRROR, directory, environ=environ, options=BEHIND) as served:
        yield served


@pytest.fixture(scope="module")
def front(mirrors: list[Served], directory: Path) -> Iterator[PublicNginx]:
    with public_nginx(mirrors, directory) as server:
        yield server


@pytest.fixture
def client(front: PublicNginx) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=front.origin, verify=front.tls, timeout=BOUND_S
    ) as client:
        yield client


def test_every_process_takes_its_turn(
    client: httpx.Client, mirrors: list[Served]
) -> None:
    pids = {client.post("/mcp").json()["pid"] for _ in range(6)}
    assert pids == {mirror.pid for mirror in mirrors}


def test_what_is_told_of_the_client_is_told_by_nginx(
    client: httpx.Client, front: PublicNginx
) -> None:
    lies = {
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "1",
        "X-Real-IP": "6.6.6.6",
        "Forwarded": "for=6.6.6.6",
        "Proxy": "evil.example",
        "Daphne-Root-Path": "/elsewhere",
        "Mcp_Session_Id": "an underscore",
        "Upgrade": "h2c",
        "Connection": "Upgrade",
    }
    truth = {"Authorization": "Bearer secret", "Mcp-Session-Id": "a session"}
    seen = client.post("/elsewhere/mcp", headers={**lies, **truth}).json()
    assert seen["client"] == "127.0.0.1"
    assert seen["scheme"] == "https"
    assert (seen["root_path"], seen["path"]) == ("", "/elsewhere/mcp")
    headers = seen["headers"]
    assert headers["host"] == f"{HOST}:{front.port}"
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "https"
    assert headers["authorization"] == "Bearer secret"
    assert headers["mcp-session-id"] == "a session"
    left = {name.lower() for name in lies} & set(headers)
    assert left == {"x-forwarded-for", "x-forwarded-proto"}


@pytest.mark.parametrize("path", ["/mcp", "/mcp/", "/sse"])
def test_an_event_arrives_while_the_call_still_runs(
    client: httpx.Client, directory: Path, path: str
) -> None:
    gate = directory / "gate"
    with client.stream("GET", f"{path}?stream") as response:
        parts = response.iter_text()
        assert next(parts) == "data: first\n\n"
        gate.touch()
        assert next(parts) == "data: second\n\n"
    gate.unlink()


@pytest.mark.parametrize("path", ["/ws", "/ws/"])
def test_a_socket_is_passed_on(front: PublicNginx, path: str) -> None:
    url = f"wss://{HOST}:{front.port}{path}"
    with connect(url, ssl=front.tls, open_timeout=BOUND_S) as socket_:
        socket_.send("hello")
        assert socket_.recv(timeout=BOUND_S) == "hello"


def posts(mirrors: list[Served]) -> int:
    """Return how many have been logged, which each is behind its answer."""
    return sum(mirror.said().count('"POST ') for mirror in mirrors)


def test_a_body_over_the_limit_never_reaches_a_process(
    client: httpx.Client, mirrors: list[Served]
) -> None:
    limit, before = 1024 * 1024, posts(mirrors)
    assert client.post("/mcp", content=b"x" * limit).json()["size"] == limit
    refused = client.post("/mcp", content=b"x" * (limit + 1))
    assert (refused.status_code, refused.headers["server"]) == (413, "nginx")
    pieces = (b"x" * 65_536 for _ in range(17))  # chunked: no length is said
    assert client.post("/mcp", content=pieces).status_code == 413
    assert posts(mirrors) <= before + 1


def test_a_slow_body_never_reaches_a_process(
    front: PublicNginx, mirrors: list[Served]
) -> None:
    before = posts(mirrors)
    request = b"POST /mcp HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\nslow"
    with (
        socket.create_connection((HOST, front.port), BOUND_S) as plain,
        front.tls.wrap_socket(plain, server_hostname=HOST) as secure,
    ):
        secure.sendall(request)
        assert secure.recv(4096) == b""  # nginx closes, and says why to its log only
    assert '"POST /mcp HTTP/1.1" 408' in front.access_log.read_text()
    assert posts(mirrors) == before


def test_the_access_log_has_no_secrets(
    client: httpx.Client, front: PublicNginx, directory: Path
) -> None:
    headers = {"Authorization": "Bearer mcp_secret", "Referer": "http://x/?mcp_secret"}
    (directory / "gate").touch()
    assert client.get("/logged?key=mcp_secret", headers=headers).status_code == 200
    (directory / "gate").unlink()
    client.post("/mcp")  # on the same connection, so that the first is logged by now
    logged = front.access_log.read_text()
    assert '"GET /logged HTTP/1.1" 200' in logged
    assert "secret" not in logged


def test_plain_http_leads_to_https(front: PublicNginx) -> None:
    url = f"http://{HOST}:{front.plain_port}/mcp"
    answer = httpx.post(url, content=b"{}", timeout=BOUND_S)
    assert answer.status_code == 308
    assert answer.headers["location"] == f"https://{HOST}/mcp"


def test_browsers_are_told_to_stay_with_https(client: httpx.Client) -> None:
    for path in ("/mcp", "/"):
        said = client.post(path).headers["strict-transport-security"]
        assert said == "max-age=31536000"


def test_a_call_that_reached_a_process_is_never_made_again(tmp_path: Path) -> None:
    with (
        daphnes(2, MIRROR, tmp_path, environ={}, options=BEHIND) as (one, other),
        nginx([one, other], tmp_path) as front,
        ThreadPoolExecutor(2) as pool,
    ):
        one.pause()
        held, answered = (
            pool.submit(httpx.post, front.url, timeout=BOUND_S) for _ in range(2)
        )
        while not answered.done():
            held, answered = answered, held
        assert answered.result().json()["pid"] == other.pid
        one.kill()
        assert held.result().status_code == 502
        assert other.said().count('"POST /mcp"') == 1
