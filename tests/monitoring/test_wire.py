"""Every message in the log, for who debugs."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterator

import pytest

from mcp_transport.monitoring import wire
from mcp_transport.monitoring.wire import WireLog, data_of, readable
from mcp_transport.protocol.framing import sse_comment, sse_event


@pytest.fixture
def logger(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """A logger that nobody has set up."""
    own = logging.Logger(secrets.token_hex(4))
    monkeypatch.setattr(wire, "logger", own)
    yield own


def test_a_message_is_one_line_without_its_secrets() -> None:
    message = {"method": "tools/call", "params": {"arguments": {"password": "p\n"}}}
    assert readable(json.dumps(message, indent=1).encode()) == (
        '{"method":"tools/call","params":{"arguments":{"password":"[redacted]"}}}'
    )


@pytest.mark.parametrize(
    "message",
    [
        b"password=hunter2",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"password": "hunter2"',
    ],
)
def test_of_what_is_no_json_only_the_size_is_told(message: bytes) -> None:
    assert readable(message) == f"{len(message)} bytes that are no JSON"


def test_a_long_message_is_cut() -> None:
    said = readable(json.dumps(["x"] * 5000).encode())
    assert len(said) < 4100
    assert said.endswith("… (25000 bytes)")
    assert readable(b"") == "(nothing)"


def test_the_data_of_events_is_found() -> None:
    events = sse_comment() + sse_event(b'{"a":1}', id="1") + sse_event(b"{}")
    primed = sse_event(b"", event=None, id="1")
    assert list(data_of(events + primed)) == [b'{"a":1}', b"{}"]


def test_it_is_seen_where_nobody_has_set_up_a_log(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    log = WireLog()
    log.received("stdio", b'{"id":1}')
    log.sent("stdio", b'{"id":1,"result":{}}')
    warned, received, sent = capsys.readouterr().err.splitlines()
    assert warned.startswith("debug mode: ")
    assert received == 'stdio <- {"id":1}'
    assert sent == 'stdio -> {"id":1,"result":{}}'


def test_who_has_set_up_a_log_is_obeyed(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    logger.setLevel(logging.ERROR)
    logger.addHandler(logging.NullHandler())
    log = WireLog()
    log.received("stdio", b'{"id":1}')
    assert logger.level == logging.ERROR
    assert len(logger.handlers) == 1
    assert capsys.readouterr().err == ""
