"""How WebSockets end, and how much of one is read."""

from __future__ import annotations

import struct
import time

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Opcode
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as open_socket

from mcp_transport.runner.websocket import ODD_FRAMES_AT_ONCE
from tests.runner.conftest import Serve
from tests.runner.kernel import resident_bytes
from tests.runner.wire import ask, connect, get, rest, until
from tests.serving import HOST, Served

BOUND_S = 30
MOST = 1_048_576


def opened(served: Served, path: str) -> ClientConnection:
    uri = f"ws://{HOST}:{served.port}{path}"
    return open_socket(uri, compression=None, open_timeout=BOUND_S, max_size=None)


def close_of(client: ClientConnection) -> tuple[int, str]:
    """Return the code and the reason with which the server ends the connection."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            client.recv(BOUND_S)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1009, 1011, 1012, 1013, 4401])
def test_the_application_may_close_with_a_code(served: Served, code: int) -> None:
    with opened(served, f"/close?code={code}&reason=because") as client:
        assert close_of(client) == (code, "because")


def test_what_is_no_code_is_a_failure(served: Served) -> None:
    with opened(served, "/close?code=1006&reason=because") as client:
        assert close_of(client)[0] == 1011


def test_a_reason_is_cut_to_what_fits(served: Served) -> None:
    with opened(served, f"/close?code=1001&reason={'é' * 100}") as client:
        assert close_of(client) == (1001, "é" * 61)


def test_who_is_denied_is_not_let_in(served: Served) -> None:
    with pytest.raises(InvalidStatus) as denied:
        opened(served, "/deny")
    assert denied.value.response.status_code == 403


@pytest.mark.parametrize("message", ["", b"", "é" * 1000, b"\xff" * MOST])
def test_every_message_comes_back(served: Served, message: str | bytes) -> None:
    with opened(served, "/echo") as client:
        client.send(message)
        assert client.recv(BOUND_S) == message


def test_a_message_that_is_too_long_is_told_so(served: Served) -> None:
    with opened(served, "/echo") as client:
        client.send(b"x" * (MOST + 1))
        assert close_of(client)[0] == 1009


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """Return a short frame of a client, whose mask is nought."""
    first = opcode | (0x80 if fin else 0)
    return struct.pack("!BB4x", first, 0x80 | len(payload)) + payload


OPENING = (
    b"GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (frame(Opcode.TEXT, b"\xff"), 1007),
        (frame(Opcode.PING, b"", fin=False), 1002),
        (frame(0xB), 1002),
        (frame(Opcode.PING) * 20_000, 1008),
        (frame(Opcode.PONG) * 20_000, 1008),
        (
            frame(Opcode.TEXT, b"x", fin=False)
            + frame(Opcode.CONT, b"x", fin=False) * 20_000,
            1008,
        ),
    ],
)
def test_what_breaks_the_rules_is_closed(
    served: Served, frames: bytes, code: int
) -> None:
    with connect(served) as connection:
        connection.sendall(OPENING)
        until(connection, b"\r\n\r\n")
        connection.sendall(frames)
        said = until(connection, struct.pack("!H", code))
    assert said.count(bytes([0x88])) >= 1
    assert struct.pack("!H", code) in said


def test_some_pings_and_fragments_are_fine(served: Served) -> None:
    with opened(served, "/echo") as client:
        for _ in range(100):
            client.ping()
        client.send(["piece"] * (ODD_FRAMES_AT_ONCE // 2))
        assert client.recv(BOUND_S) == "piece" * (ODD_FRAMES_AT_ONCE // 2)


def test_a_socket_reads_no_faster_than_the_application(served: Served) -> None:
    """All arrives in the end: it waits at its sender meanwhile."""
    ask(served, get(b"/"))
    before = resident_bytes(served.pid)
    message = "x" * 100_000
    with opened(served, "/deaf?s=3") as client:
        began = time.monotonic()
        for _ in range(500):
            client.send(message)
            assert resident_bytes(served.pid) - before < 20_000_000
        client.send("last")
        assert client.recv(BOUND_S) == "500"
        assert time.monotonic() - began > 2  # it did wait


def test_a_peer_that_never_answers_a_ping_is_found(serve: Serve) -> None:
    with (
        serve("--ping-interval=2", "--ping-timeout=1") as served,
        opened(served, "/echo") as lively,
        connect(served) as dead,
    ):
        dead.sendall(OPENING)
        until(dead, b"\r\n\r\n")
        assert until(dead, b"\x89").startswith(b"\x89")
        with pytest.raises(ConnectionResetError):
            rest(dead)
        lively.send("still here")
        assert lively.recv(BOUND_S) == "still here"
