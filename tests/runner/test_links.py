"""How many connections there may be."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack

from mcp_transport.runner.links import NEW_S, STRANGERS
from tests.runner.wire import ask, becomes, connect, get, until
from tests.serving import Served


def is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


def test_strangers_of_one_address_are_few(served: Served) -> None:
    with ExitStack() as stack:
        strangers = []
        for _ in range(STRANGERS):
            strangers.append(stack.enter_context(connect(served)))
            strangers[-1].sendall(b"GET / HTTP/1.1\r\n")
        known = stack.enter_context(connect(served))
        known.sendall(get(b"/", close=False))
        until(known, b"0\r\n\r\n")
        time.sleep(2 * NEW_S)
        assert all(map(is_open, strangers))
        for _ in range(3):
            strangers.append(stack.enter_context(connect(served)))
        assert ask(served, get(b"/")).status == 200
        assert not any(map(is_open, strangers[:3]))
        assert all(map(is_open, strangers[4:]))
        assert is_open(known)


def test_a_crowd_that_comes_at_once_is_let_in(served: Served) -> None:
    with ExitStack() as stack:
        crowd = [stack.enter_context(connect(served)) for _ in range(3 * STRANGERS)]
        for one in crowd:
            one.sendall(get(b"/"))
        assert all(until(one, b"\r\n").startswith(b"HTTP/1.1 200 ") for one in crowd)


def test_more_than_so_many_connections_are_not_held(served: Served) -> None:
    with ExitStack() as stack:
        held = []
        for _ in range(90):
            held.append(stack.enter_context(connect(served)))
            held[-1].sendall(get(b"/", close=False))
        assert all(until(one, b"0\r\n\r\n") for one in held)
        assert ask(served, b"").said == b""
        with connect(served) as one_more:
            try:
                one_more.sendall(get(b"/"))
                assert until(one_more, b"\r\n") == b""
            except ConnectionError:
                pass
    # The server hears one by one that they have gone.
    becomes(lambda: _answers(served))


def _answers(served: Served) -> bool:
    try:
        return ask(served, get(b"/")).said.startswith(b"HTTP/1.1 200 ")
    except ConnectionError:
        return False
