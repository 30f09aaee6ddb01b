"""What stands in the log of each request and each connection."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.observing import Connection, tell_began, tell_ended
from mcp_transport.engine.presence import session_handle
from mcp_transport.monitoring import CallLog
from mcp_transport.monitoring.calllog import shown
from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL
from tests.engine.exchanges import opened, session_of
from tests.monitoring.serving import call, observed, served

ADA = Caller("token:ada", frozenset({"*"}), token_id="ada")
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "mcp_transport.calls")
    caplog.set_level(logging.INFO, "mcp_transport.connections")
    return caplog


def fields(log: pytest.LogCaptureFixture) -> dict[str, Any]:
    (record,) = log.records
    return {k: v for k, v in vars(record).items() if k.startswith("mcp_")}


async def test_a_call_is_one_line_and_its_fields(
    log: pytest.LogCaptureFixture,
) -> None:
    server = observed(CallLog())
    params = {
        "name": "greet",
        "arguments": {"name": "Grace Hopper"},
        "_meta": {
            "traceparent": PARENT,
            "io.modelcontextprotocol/clientInfo": {"name": "probe", "version": "3"},
        },
    }
    await served(opened(server, "tools/call", params, caller=ADA))
    (record,) = log.records
    assert record.name == "mcp_transport.calls"
    said = record.getMessage()
    assert said.startswith("tools/call greet: ok in ")
    assert said.endswith(" ms, test by token:ada")
    found = fields(log)
    assert found.pop("mcp_duration_ms") >= 0
    assert found.pop("mcp_sent_bytes") > 50
    assert found == {
        "mcp_method": "tools/call",
        "mcp_name": "greet",
        "mcp_subject": "token:ada",
        "mcp_token": "ada",
        "mcp_actor": None,
        "mcp_door": "test",
        "mcp_client": "probe 3",
        "mcp_revision": LATEST.name,
        "mcp_session": None,
        "mcp_outcome": "ok",
        "mcp_error_code": None,
        "mcp_trace_id": TRACE,
    }
    assert "Grace Hopper" not in repr(vars(record))


async def test_a_failure_is_named_and_its_session_cannot_be_used(
    log: pytest.LogCaptureFixture,
) -> None:
    session = session_of(LATEST_STATEFUL, ADA)
    caller = Caller("user:2", frozenset({"*"}), actor="grace")
    await call(
        observed(CallLog()),
        "none",
        revision=LATEST_STATEFUL,
        session=session,
        caller=caller,
    )
    found = fields(log)
    assert (found["mcp_outcome"], found["mcp_error_code"]) == ("error", -32602)
    assert found["mcp_actor"] == "grace"
    assert found["mcp_session"] == session_handle(session.id)
    assert "error -32602 in " in log.records[0].getMessage()
    assert log.records[0].getMessage().endswith("by grace as user:2")
    assert session.id not in repr(vars(log.records[0]))


async def test_nothing_is_made_where_nobody_logs(
    log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.set_level(logging.WARNING, "mcp_transport.calls")
    monkeypatch.delattr("mcp_transport.monitoring.calllog.shown")
    await call(observed(CallLog()), "greet", {"name": "Ada"})
    assert log.records == []


async def test_what_a_client_writes_does_not_pass_for_a_line_of_ours(
    log: pytest.LogCaptureFixture,
) -> None:
    forged = "greet: ok in 1 ms\n2026-01-01 INFO root: all is well \u202e"
    await call(observed(CallLog()), forged)
    said = log.records[0].getMessage()
    assert len(said.splitlines()) == 1
    assert said.startswith(
        'tools/call "greet: ok in 1 ms\\n2026-01-01 INFO root: all is well \\u202e":'
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("order://7?a=b", "order://7?a=b"),
        ("two words", '"two words"'),
        ('a"b', '"a\\"b"'),
        ("a\\ b", '"a\\\\ b"'),
        ("", '""'),
        ("é", '"é"'),
        ("\ud800", '"\\ud800"'),
        ("\u2028", '"\\u2028"'),
        ("x" * 121, f'"{"x" * 120}…"'),
    ],
)
def test_a_text_of_somebody_elses_can_be_told_from_ours(text: str, said: str) -> None:
    assert shown(text) == said


def test_a_connection_is_logged_when_it_begins_and_when_it_ends(
    log: pytest.LogCaptureFixture,
) -> None:
    observers = [CallLog()]
    connection = Connection(door="websocket", caller=ADA)
    tell_began(observers, connection)
    connection.client = {"name": "probe", "version": "3"}
    connection.revision = LATEST.name
    connection.received, connection.sent, connection.sent_bytes = 3, 4, 500
    tell_ended(observers, connection, "client_left")
    tell_ended(observers, connection, "failed")
    began, ended = log.records
    assert began.name == ended.name == "mcp_transport.connections"
    assert began.getMessage() == "websocket began, by token:ada"
    assert ended.getMessage() == (
        'websocket ended (client_left) after 0.0 s, by token:ada with "probe 3"'
    )
    found = {k: v for k, v in vars(ended).items() if k.startswith("mcp_")}
    assert found.pop("mcp_duration_ms") > 0
    assert found == {
        "mcp_event": "ended",
        "mcp_subject": "token:ada",
        "mcp_token": "ada",
        "mcp_actor": None,
        "mcp_door": "websocket",
        "mcp_client": "probe 3",
        "mcp_revision": LATEST.name,
        "mcp_ending": "client_left",
        "mcp_received": 3,
        "mcp_sent": 4,
        "mcp_sent_bytes": 500,
    }


async def test_a_secret_that_a_client_writes_into_a_uri_is_not_logged(
    log: pytest.LogCaptureFixture,
) -> None:
    uri = "shop://ada:geheim@stock/1?page=2&api_key=geheim&x-any=geheim"
    await served(
        opened(observed(CallLog()), "resources/read", {"uri": uri}, caller=ADA)
    )
    name = "shop://[redacted]stock/1?page=2&api_key=[redacted]&x-any=[redacted]"
    assert fields(log)["mcp_name"] == name
    (record,) = log.records
    assert f"resources/read {name}: error" in record.getMessage()
    assert "geheim" not in repr(vars(record))
