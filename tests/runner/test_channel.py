"""What is refused before the application hears of it, and how long is waited."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from mcp_transport.runner.channel import BODY_S, HEAD_S
from tests.runner.kernel import resident_bytes
from tests.runner.wire import HEAD, ask, connect, get, rest, until
from tests.serving import Served

POST = b"POST / HTTP/1.1\r\n" + HEAD
LARGE = 300_000_000
MEGABYTE = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
# 2.5 MiB, DATA_UPLOAD_MAX_MEMORY_SIZE, which is larger than MCP's own limit.
MOST = 2_621_440


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nnonsense\r\n" + HEAD + b"\r\n", 400),
        (b"\x16\x03\x01\r\n\r\n", 400),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n", 431),
        (b"TRACE / HTTP/1.1\r\n" + HEAD + b"\r\n", 501),
        (b"get / HTTP/1.1\r\n" + HEAD + b"\r\n", 501),
        (POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
        (POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nno size\r\n", 400),
        (POST + b"Content-Length: %d\r\n\r\n" % (MOST + 1), 413),
        (get(b"/"), 200),
        (POST + b"Content-Length: 3\r\n\r\nabc", 200),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 200),
    ],
)
def test_each_request_has_its_status(served: Served, data: bytes, status: int) -> None:
    heard = ask(served, data)
    assert heard.status == status
    assert heard.said.count(b"HTTP/1.1 ") == 1
    assert heard.took_s < min(HEAD_S, BODY_S)


def test_a_body_of_the_largest_size_is_taken(served: Served) -> None:
    heard = ask(served, POST + b"Content-Length: %d\r\n\r\n" % MOST + b"x" * MOST)
    assert heard.status == 200
    assert b'"size": %d' % MOST in heard.said


def test_a_body_that_is_too_large_is_not_kept(served: Served) -> None:
    ask(served, get(b"/"))
    before = resident_bytes(served.pid)
    whole = ask(served, POST + b"Content-Length: %d\r\n\r\n" % LARGE + 20 * MEGABYTE)
    chunked = ask(served, POST + b"Transfer-Encoding: chunked\r\n\r\n" + 20 * MEGABYTE)
    assert (whole.status, chunked.status) == (413, 413)
    assert resident_bytes(served.pid) - before < 5_000_000


def test_only_a_body_that_is_taken_is_asked_for(served: Served) -> None:
    expects = POST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    assert ask(served, expects % LARGE).status == 413
    with connect(served) as connection:
        connection.sendall(expects % 3)
        assert until(connection, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"abc")
        assert rest(connection).startswith(b"HTTP/1.1 200 ")


def test_a_refused_request_ends_its_connection(served: Served) -> None:
    """What follows it may be a part of its body, and is no request."""
    heard = ask(served, b"GET / HTTP/1.1\r\n\r\n" + 3 * get(b"/", close=False))
    assert heard.said.count(b"HTTP/1.1 ") == 1


def trickled(served: Served, data: bytes) -> bytes:
    """Send a byte now and then, until the server has had enough."""
    with connect(served) as connection:
        connection.settimeout(0.5)
        for byte in data:
            with contextlib.suppress(TimeoutError, ConnectionError):
                connection.sendall(bytes([byte]))
                return rest(connection)
        raise AssertionError("the server is too patient")


def test_nobody_is_waited_for_for_ever(served: Served) -> None:
    """The deadlines are for the whole: a byte now and then buys no time."""
    slow_head = b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"x" * 100
    half = POST + b"Content-Length: 1000\r\n\r\nhalf"
    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(ask, served, data) for data in (half, b"GET / H", b"")]
        trickling = pool.submit(trickled, served, slow_head)
        with connect(served) as connection:
            connection.sendall(POST + b"Content-Length: 1000\r\n\r\n")
            heard = [one.result() for one in waiting]
            said = rest(connection)
    assert [one.status for one in heard] == [408, 408, None]
    assert all(min(HEAD_S, BODY_S) <= one.took_s < 2 * HEAD_S for one in heard)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert trickling.result().startswith(b"HTTP/1.1 408 ")


def test_requests_follow_one_another_on_a_connection(served: Served) -> None:
    heard = ask(served, get(b"/", close=False) + get(b"/", close=False) + get(b"/"))
    assert heard.said.count(b"HTTP/1.1 200 ") == 3
