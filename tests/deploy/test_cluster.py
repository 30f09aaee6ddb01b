"""``script/cluster``, and how what it runs refuses."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.cluster import MOST
from deploy.servers import HOST, ROOT, is_free
from tests.deploy.session import use_a_session
from tests.serving import free_port

START_S = 120
STOP_S = 60
TOKEN = re.compile(r"\bmcp_[\w-]{20,}")
UPSTREAM = re.compile(r'"POST /mcp HTTP/1.1" .* 127\.0\.0\.1:(\d+)$', re.MULTILINE)
PID = re.compile(r"on port (\d+), pid (\d+)")


def environ(var: Path, port: int) -> dict[str, str]:
    unwanted = ("DJANGO_", "MCP", "POSTGRES_")
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(unwanted)},
        "MCPSITE_VAR_DIR": str(var),
        "PORT": str(port),
    }


@contextmanager
def started(
    arguments: list[str], variables: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a cluster; give it, and what it said until it served."""
    process = subprocess.Popen(
        [ROOT / "script" / "cluster", *arguments],
        cwd="/",
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watchdog = threading.Timer(START_S, process.terminate)
    watchdog.start()
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith("MCP endpoint:"):
                break
        else:
            pytest.fail(f"the cluster ended before it served:\n{said}")
        yield process, said
    finally:
        watchdog.cancel()
        process.terminate()
        process.communicate(timeout=STOP_S)


def refusal(arguments: list[str], variables: Mapping[str, str]) -> str:
    """Return what a cluster says that cannot be started."""
    ran = subprocess.run(
        [sys.executable, "-m", "deploy.cluster", *arguments],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    return ran.stderr


def test_a_session_is_known_to_every_process_and_nothing_is_left(
    tmp_path: Path,
) -> None:
    port = free_port()
    variables = environ(tmp_path, port)
    with started(["2"], variables) as (process, said):
        places = {int(at): int(pid) for at, pid in PID.findall(said)}
        assert len(places) == 4  # Redis, two of daphne, nginx
        assert f"MCP endpoint: http://{HOST}:{port}/mcp" in said
        (token,) = set(TOKEN.findall(said))
        use_a_session(port, token)
        logged = (tmp_path / "cluster" / "access.log").read_text()
        assert len(set(UPSTREAM.findall(logged))) == 2
        again = refusal(["2"], {**variables, "PORT": str(free_port())})
        assert "a cluster runs in" in again
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=STOP_S)
        assert process.returncode == 0
    for at, pid in places.items():
        assert is_free(at)
        with pytest.raises(ProcessLookupError):
            os.killpg(pid, 0)


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server((HOST, free_port())) as taken:
        port = taken.getsockname()[1]
        said = refusal(["2"], environ(tmp_path, port))
    assert said == f"cluster: port {port} is taken; set PORT to another.\n"


@pytest.mark.parametrize(
    ("count", "port", "said"),
    [
        ("none", "8000", f'N is "none"; it must be a number from 1 to {MOST}.'),
        ("0", "8000", f'N is "0"; it must be a number from 1 to {MOST}.'),
        ("33", "8000", f'N is "33"; it must be a number from 1 to {MOST}.'),
        ("2", "http", 'PORT is "http"; it must be a number from 1 to 65535.'),
        ("2", "65536", 'PORT is "65536"; it must be a number from 1 to 65535.'),
    ],
)
def test_what_is_no_number_is_said(
    tmp_path: Path, count: str, port: str, said: str
) -> None:
    variables = {**environ(tmp_path, 0), "PORT": port}
    assert refusal([count], variables) == f"cluster: {said}\n"


def test_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    variables = {**environ(tmp_path, free_port()), "PATH": str(tmp_path / "bin")}
    assert refusal(["1"], variables) == "cluster: redis-server is not installed\n"
