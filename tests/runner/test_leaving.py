"""What clients notice when the process is told to end."""

from __future__ import annotations

import signal
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as open_socket

from tests.runner.conftest import Serve
from tests.runner.wire import becomes, connect, get, is_refused, rest, until
from tests.serving import HOST, Served

POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf"
# Far less than what is cut here would take.
PATIENCE_S = 20


def sent(served: Served, stack: ExitStack, data: bytes) -> socket.socket:
    connection = stack.enter_context(connect(served))
    connection.sendall(data)
    return connection


def begins(served: Served, path: str, times: int = 1) -> None:
    """Wait until the application has begun with a page so often."""
    becomes(lambda: served.said().count(f"begun {path}\n"), times)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_runs_comes_to_its_end(
    serve: Serve, number: signal.Signals, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    wait = get(b"/wait?file=%b" % bytes(gate), close=False)
    with serve() as served, ExitStack() as stack:
        held = [sent(served, stack, wait) for _ in range(20)]
        stream = sent(served, stack, get(b"/events", close=False))
        assert b"tick" in until(stream, b"tick\n\n")
        slow = sent(served, stack, get(b"/pieces?bytes=20000000", close=False))
        uri = f"ws://{HOST}:{served.port}/echo"
        talking = stack.enter_context(open_socket(uri))
        idle = [sent(served, stack, get(b"/", close=False)) for _ in range(2)]
        for one in idle:
            until(one, b"0\r\n\r\n")
        begins(served, "/wait", len(held))
        served.process.send_signal(number)
        becomes(lambda: is_refused(served))
        idle[0].sendall(get(b"/", close=False))
        assert b"connection: close" in rest(idle[0]).lower()
        assert rest(idle[1]) == b""
        assert rest(stream).endswith(b"retry: 1000\n\n\r\n0\r\n\r\n")
        with pytest.raises(ConnectionClosed) as closed:
            talking.recv(20)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        assert rest(slow).endswith(b"\r\n0\r\n\r\n")
        gate.touch()
        for one in held:
            said = rest(one)
            assert said.startswith(b"HTTP/1.1 200 ")
            assert b"connection: close" in said.lower()
        assert served.process.wait(PATIENCE_S) == 0
        assert "Traceback" not in served.said()


def test_what_does_not_end_is_cut(serve: Serve) -> None:
    """The loop itself is held up, which would not even notice the signal."""
    grace_s = 2
    with serve(f"--grace={grace_s}") as served, ExitStack() as stack:
        for _ in range(5):
            sent(served, stack, POST)
            sent(served, stack, get(b"/block?s=60"))
            sent(served, stack, get(b"/hold?s=60"))
            until(sent(served, stack, get(b"/pieces?bytes=100000000")), b"x")
        began = time.monotonic()
        served.process.terminate()
        assert served.process.wait(PATIENCE_S) == 0
        assert time.monotonic() - began > grace_s - 0.1
        assert "Traceback" not in served.said()


def test_nor_is_a_loop_waited_for_that_is_held_up(serve: Serve) -> None:
    with serve("--grace=1") as served, ExitStack() as stack:
        sent(served, stack, get(b"/stall?s=60"))
        begins(served, "/stall")
        served.process.terminate()
        assert served.process.wait(PATIENCE_S) == 0


def test_a_second_signal_ends_it_at_once(serve: Serve) -> None:
    with serve("--grace=60") as served, ExitStack() as stack:
        sent(served, stack, get(b"/hold?s=60"))
        begins(served, "/hold")
        served.process.terminate()
        becomes(lambda: is_refused(served))
        served.process.terminate()
        assert served.process.wait(PATIENCE_S) == 1


def test_an_idle_process_ends_soon(serve: Serve) -> None:
    with serve("--grace=60") as served:
        served.process.terminate()
        assert served.process.wait(PATIENCE_S) == 0


def test_what_the_kernel_has_accepted_is_served(serve: Serve) -> None:
    """While the loop is held up clients connect; then it is told to end."""
    with serve() as served, ExitStack() as stack:
        sent(served, stack, get(b"/stall?s=1"))
        begins(served, "/stall")
        waiting = [sent(served, stack, get(b"/")) for _ in range(50)]
        served.process.terminate()
        assert all(rest(one).startswith(b"HTTP/1.1 200 ") for one in waiting)
        assert served.process.wait(PATIENCE_S) == 0
