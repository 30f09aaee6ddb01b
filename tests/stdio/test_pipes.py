"""What goes through the pipes: lines of any cut, from any kind of descriptor."""

from __future__ import annotations

import json
import os
import pty
import socket
import threading
import time
import tty
from pathlib import Path

import pytest

from mcp_transport.protocol.errors import INVALID_REQUEST, PARSE_ERROR
from mcp_transport.protocol.revision import Revision
from tests.engine.exchanges import every_revision
from tests.stdio.conftest import Start
from tests.stdio.process import PATIENCE_S, Stdio, call, request, text_of

MAX_BYTES = 1_048_576
ECHOES = [call(n, "echo", text=str(n)) for n in range(5)]


def padded(size: int) -> bytes:
    """Return a call of as many bytes."""
    bare = len(call(1, "echo_at_once", text=""))
    line = call(1, "echo_at_once", text="x" * (size - bare))
    assert len(line) == size
    return line


def alive(server: Stdio) -> None:
    server.says(call("last", "echo", text="here"))
    assert text_of(server.hears()) == "here"


# Every revision.


@every_revision
def test_every_revision_is_served(start: Start, revision: Revision) -> None:
    server = start()
    if revision.stateful:
        hello = {"protocolVersion": revision.name, "capabilities": {}}
        message = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}
        server.says(json.dumps(message).encode())
        assert server.hears()["result"]["protocolVersion"] == revision.name
        server.says(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')
        params = b'{"name":"whoami"}'
        server.says(
            b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":%b}' % params
        )
    else:
        server.says(call(1, "whoami"))
    assert text_of(server.hears()) == "user:1 ada"
    server.hangs_up()
    assert server.ends() == []


# Lines.


def test_a_message_may_come_in_pieces(start: Start) -> None:
    server = start()
    for at in range(len(ECHOES[0])):
        server.writes(ECHOES[0][at : at + 1])
    server.writes(b"\n" + ECHOES[1][:20])
    assert text_of(server.hears()) == "0"
    server.writes(ECHOES[1][20:] + b"\n")
    assert text_of(server.hears()) == "1"


def test_line_ends_and_blank_lines_do_not_matter(start: Start) -> None:
    server = start()
    server.writes(b"\n\r\n  \n" + ECHOES[0] + b"\r\n\n" + ECHOES[1])
    server.hangs_up()
    assert sorted(text_of(message) for message in server.ends()) == ["0", "1"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"\0", PARSE_ERROR),
        (b'{"jsonrpc":"2.0",\0"id":1,"method":"ping"}', PARSE_ERROR),
        (b"\xff\xfe", PARSE_ERROR),
        (b"hello", PARSE_ERROR),
        (b"5", INVALID_REQUEST),
    ],
)
def test_what_is_no_message_is_answered_and_passed_over(
    start: Start, line: bytes, code: int
) -> None:
    server = start()
    server.says(line)
    assert server.hears()["error"]["code"] == code
    alive(server)


def test_a_line_that_is_too_long_is_answered_and_passed_over(start: Start) -> None:
    server = start()
    server.says(padded(MAX_BYTES))
    assert len(text_of(server.hears())) > MAX_BYTES / 2
    server.says(padded(MAX_BYTES + 1))
    error = server.hears()["error"]
    assert error["code"] == INVALID_REQUEST
    assert str(MAX_BYTES) in error["message"]
    alive(server)


def test_a_line_without_an_end_is_not_kept(start: Start) -> None:
    server = start()
    alive(server)
    before_kb = resident_kb(server)
    for _ in range(64):
        server.writes(b"x" * MAX_BYTES)
    assert server.hears()["error"]["code"] == INVALID_REQUEST
    server.writes(b"\n")
    alive(server)
    # Of 64 MiB there is next to nothing.
    assert resident_kb(server) - before_kb < 16_384
    server.hangs_up()
    assert server.ends() == []


def resident_kb(server: Stdio) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    (size,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(size.split()[1])


# Descriptors.


def test_a_file_is_answered_into_a_file(start: Start, tmp_path: Path) -> None:
    asked, answered = tmp_path / "requests.jsonl", tmp_path / "out"
    asked.write_bytes(b"\n".join(ECHOES))
    with asked.open("rb") as stdin, answered.open("wb") as stdout:
        server = start(stdin=stdin, stdout=stdout)
        server.ends()
    lines = answered.read_text().splitlines()
    assert sorted(text_of(json.loads(line)) for line in lines) == list("01234")


def test_a_long_file_is_answered_to_its_end(start: Start, tmp_path: Path) -> None:
    asked = tmp_path / "requests.jsonl"
    lists = [request(n, "tools/list") for n in range(500)]
    asked.write_bytes(b"\n".join(lists))
    with asked.open("rb") as stdin:
        server = start(stdin=stdin)
        messages = [server.hears() for _ in range(500)]
        assert server.ends() == []
    assert [message["id"] for message in messages] == list(range(500))


def test_more_calls_than_may_run_at_once_wait_their_turn(
    start: Start, tmp_path: Path
) -> None:
    asked = tmp_path / "requests.jsonl"
    asked.write_bytes(b"\n".join(call(n, "echo", text=str(n)) for n in range(300)))
    with asked.open("rb") as stdin:
        server = start(stdin=stdin)
        messages = [server.hears() for _ in range(300)]
        assert server.ends() == []
    assert [text_of(message) for message in messages if "error" not in message] == [
        str(message["id"]) for message in messages
    ]


def test_a_socket_may_be_both(start: Start) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb") as stream:
        server = start(stdin=theirs.fileno(), stdout=theirs.fileno())
        theirs.close()
        ours.settimeout(PATIENCE_S)
        ours.sendall(call(1, "repeat", times=100_000) + b"\n")
        assert len(text_of(json.loads(stream.readline()))) == 500_000
        ours.shutdown(socket.SHUT_WR)
        assert stream.readline() == b""
        server.ends()


def test_a_terminal_may_be_both(start: Start) -> None:
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    server = start(stdin=theirs, stdout=theirs)
    os.close(theirs)
    with os.fdopen(ours, "r+b", buffering=0) as terminal:
        terminal.write(ECHOES[3] + b"\n")
        heard = b""
        while not heard.endswith(b"\n"):
            heard += os.read(ours, 4096)
        assert text_of(json.loads(heard)) == "3"
    server.ends()


def test_a_descriptor_that_does_not_block_is_waited_for(start: Start) -> None:
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    with os.fdopen(theirs, "wb", buffering=0) as writer:
        server = start(stdin=ours)
        os.close(ours)
        for n, echo in enumerate(ECHOES):
            writer.write(echo + b"\n")
            assert text_of(server.hears()) == str(n)
    assert server.ends() == []


@pytest.mark.parametrize("redirect", ["<&-", ">&-"])
def test_a_descriptor_that_is_closed_is_refused(start: Start, redirect: str) -> None:
    """Its number would be that of the next file that is opened."""
    server = start(redirect=redirect)
    assert server.process.wait(PATIENCE_S) == 1
    assert "must be open" in server.said()
    assert "Traceback" not in server.said()


# A client that does not keep up.


def test_a_client_that_does_not_read_is_not_read(start: Start) -> None:
    count, text = 8_000, "x" * 1_000
    server, sent = start(), 0
    alive(server)

    def send() -> None:
        nonlocal sent
        for n in range(count):
            server.says(call(n, "echo_at_once", text=text))
            sent = n + 1

    sending = threading.Thread(target=send, daemon=True)
    sending.start()
    seen = -1
    while sent == 0 or sent != seen:
        seen = sent
        time.sleep(1)
    # 8 MB would be through; 1 MiB is read ahead.
    assert sent < count / 2
    assert resident_kb(server) < 200_000
    messages = [server.hears() for _ in range(count)]
    sending.join(PATIENCE_S)
    assert [message["id"] for message in messages] == list(range(count))
    server.hangs_up()
    assert server.ends() == []
