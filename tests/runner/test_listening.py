"""Where it can listen, and what each connection inherits."""

from __future__ import annotations

import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from mcp_transport.runner.listening import (
    OTHER_FILES,
    USER_TIMEOUT_MS,
    listen,
    place_of,
    room_for,
)
from tests.runner.test_options import options
from tests.runner.wire import get, rest
from tests.serving import ROOT, free_port

SERVE = [sys.executable, "-m", "django", "mcp", "serve"]
BOUND_S = 30


@contextmanager
def started(*arguments: str) -> Iterator[None]:
    """Run the command as a person would."""
    process = subprocess.Popen(
        [*SERVE, "--application=tests.runner.served:application", *arguments],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "tests.settings"},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(BOUND_S) == 0


def connected(family: socket.AddressFamily, address: object) -> socket.socket:
    """Connect as soon as somebody listens."""
    deadline = time.monotonic() + BOUND_S
    while True:
        connection = socket.socket(family)
        connection.settimeout(BOUND_S)
        try:
            connection.connect(address)  # type: ignore[arg-type]
        except (ConnectionRefusedError, FileNotFoundError):
            connection.close()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return connection


def test_it_listens_where_it_is_told_to(tmp_path: Path) -> None:
    port, place = free_port(), str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(place)
    for arguments, family, address in (
        (["--host=::1", f"--port={port}"], socket.AF_INET6, ("::1", port)),
        (["--bind=127.0.0.1", f"--port={port}"], socket.AF_INET, ("127.0.0.1", port)),
        ([f"--unix-socket={place}"], socket.AF_UNIX, place),
    ):
        with started(*arguments), connected(family, address) as connection:
            connection.sendall(get(b"/"))
            assert rest(connection).startswith(b"HTTP/1.1 200 ")


def test_a_connection_is_given_up_in_time() -> None:
    with (
        listen(replace(options(), port=0)) as listener,
        socket.create_connection(listener.getsockname()),
    ):
        accepted, _ = listener.accept()
        with accepted:
            tcp = socket.IPPROTO_TCP
            assert accepted.getsockopt(tcp, socket.TCP_USER_TIMEOUT) == USER_TIMEOUT_MS
            assert accepted.getsockopt(tcp, socket.TCP_NODELAY)


def test_a_socket_in_use_is_left_alone(tmp_path: Path) -> None:
    place = str(tmp_path / "socket")
    given = replace(options(), unix_socket=place)
    with listen(given) as used:
        assert place_of(used) == place
        with pytest.raises(Exception, match="in use"):
            listen(given)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(place)


def test_files_may_be_open_for_as_many_connections() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, before[1]))
        assert room_for(500) == 500
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 500 + OTHER_FILES
        assert room_for(10) == 10
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 500 + OTHER_FILES
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_no_more_connections_than_files() -> None:
    """In a process of its own: a hard limit that was lowered stays."""
    code = (
        "import resource\n"
        "from mcp_transport.runner.listening import room_for\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (300, 400))\n"
        "print(room_for(1000))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True
    )
    assert int(run.stdout) == 400 - OTHER_FILES
