"""Several processes that serve one socket."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mcp_transport.runner import workers
from tests.runner.kernel import children
from tests.runner.wire import ask, becomes, connect, get, is_refused, rest, until
from tests.serving import Served, mcp_serve, redis_server

BOUND_S = 30
WORKERS = 2


@contextmanager
def serving(directory: Path, *options: str) -> Iterator[Served]:
    """Serve the mirror, which tells which process has answered."""
    with redis_server(directory) as redis:
        environ = {
            "DJANGO_SETTINGS_MODULE": "tests.runner.settings",
            "RUNNER_STORE": redis.url,
        }
        log = directory / "serve.log"
        arguments = [f"--workers={WORKERS}", *options]
        application = "tests.deploy.mirror:application"
        with mcp_serve(application, log, environ=environ, options=arguments) as served:
            becomes(lambda: len(children(served.pid)), WORKERS)
            yield served


def begin_post(connection: socket.socket) -> None:
    """Send the head of a request to a worker that asks for its body."""
    connection.sendall(
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
        b"Expect: 100-continue\r\n\r\n"
    )
    assert until(connection, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        first = children(served.pid)
        os.kill(first[0], signal.SIGKILL)
        assert ask(served, get(b"/")).status == 200  # the other one does
        becomes(lambda: len(set(children(served.pid)) - set(first)), 1)
        os.kill(first[1], signal.SIGTERM)
        becomes(lambda: len(set(children(served.pid)) - set(first)), 2)
        assert ask(served, get(b"/")).status == 200
        assert "ended with status -9" in served.said()
        assert "ended with status 0" in served.said()


def test_all_end_in_peace_with_their_parent(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        becomes(lambda: ask(served, get(b"/")).status, 200)
        pids = children(served.pid)
        with connect(served) as connection:
            begin_post(connection)
            os.killpg(served.pid, signal.SIGTERM)  # as systemd does: it tells all
            becomes(lambda: is_refused(served))
            connection.sendall(b"body")
            assert rest(connection).startswith(b"HTTP/1.1 200 ")
        assert served.process.wait(BOUND_S) == 0
        assert all(map(is_gone, pids))
        assert "Traceback" not in served.said()


def test_none_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        becomes(lambda: ask(served, get(b"/")).status, 200)
        pids = children(served.pid)
        os.kill(served.pid, signal.SIGKILL)
        served.process.wait(BOUND_S)
        becomes(lambda: [is_gone(pid) for pid in pids], [True] * WORKERS)


def test_a_second_signal_ends_them_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, "--grace=60") as served:
        becomes(lambda: ask(served, get(b"/")).status, 200)
        pids = children(served.pid)
        with connect(served) as connection:
            begin_post(connection)
            served.process.terminate()
            becomes(lambda: is_refused(served))
            served.process.terminate()
            served.process.wait(BOUND_S)
        assert all(map(is_gone, pids))


def test_what_a_worker_starts_is_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    assert workers.role() is None
    monkeypatch.setenv(workers.VARIABLE, "3,4")
    monkeypatch.setattr(signal, "pthread_sigmask", lambda *_: None)
    assert workers.role() == (3, 4)
    assert workers.VARIABLE not in os.environ
