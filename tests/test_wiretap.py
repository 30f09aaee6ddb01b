"""What the doors of HTTP send and are sent, in the log of who debugs."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from mcp_transport.asgi import Application
from mcp_transport.conf import get_conf, get_server
from mcp_transport.endpoint import get_views
from mcp_transport.wiretap import WireMiddleware
from tests.rawasgi import ask, message
from tests.wire.conftest import MOUNTS
from tests.wire.settings import MCP
from tests.wire.tokens import ALICE

DEBUGGED = {"DEBUG_WIRE": True}


@pytest.fixture(params=MOUNTS)
def application(request: pytest.FixtureRequest) -> Iterator[Application]:
    with override_settings(
        DEBUG=True, MCP={**MCP, **DEBUGGED}, ROOT_URLCONF="tests.wire.urls"
    ):
        yield MOUNTS[request.param]()


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "mcp_transport.wire" and record.levelno == logging.DEBUG
    ]


def call(tool: str, **arguments: Any) -> dict[str, Any]:
    return {
        "body": message("tools/call", {"name": tool, "arguments": arguments}),
        "headers": {"mcp-method": "tools/call", "mcp-name": tool},
    }


@pytest.fixture(autouse=True)
def _at_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "mcp_transport.wire")


async def test_a_message_and_its_reply_are_seen(
    application: Application, caplog: pytest.LogCaptureFixture
) -> None:
    await ask(application, **call("echo", text="hello", password="hunter2"))
    received, sent = lines(caplog)
    assert received.startswith('POST /mcp <- {"jsonrpc":"2.0","id":1,')
    assert '"text":"hello"' in received
    assert '"password":"[redacted]"' in received
    assert sent.startswith('POST /mcp 200 -> {"jsonrpc":"2.0","id":1,"result":')
    assert "hunter2" not in caplog.text
    assert ALICE not in caplog.text


async def test_a_stream_is_seen_message_by_message(
    application: Application, caplog: pytest.LogCaptureFixture
) -> None:
    talk = {"name": "talk", "arguments": {"steps": 3}}
    headers = {"mcp-method": "tools/call", "mcp-name": "talk"}
    body = message("tools/call", talk, progressToken="one")
    answer = await ask(application, body, headers=headers)
    assert answer.values("content-type") == ["text/event-stream"]
    _, *sent = lines(caplog)
    said = [json.loads(line.partition("-> ")[2]) for line in sent]
    assert [one.get("method") for one in said[:-1]] == ["notifications/progress"] * 3
    assert "result" in said[-1]
    assert said[0]["params"]["progressToken"] == "one"


async def test_a_compressed_reply_can_be_read(
    application: Application, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await ask(application, headers={"accept-encoding": "gzip"})
    assert answer.values("content-encoding") == ["gzip"]
    assert lines(caplog)[1].startswith('POST /mcp 200 -> {"jsonrpc"')


async def test_what_is_refused_is_seen_too(
    application: Application, caplog: pytest.LogCaptureFixture
) -> None:
    await ask(application, b"nonsense")
    await ask(application, b"", headers={"authorization": None})
    await ask(application, b"x" * 1_048_577)
    nobody = {"authorization": None}
    await ask(application, b"", method="GET", query=b"session=secret", headers=nobody)
    found = lines(caplog)
    assert found[0] == "POST /mcp <- 8 bytes that are no JSON"
    assert found[1].startswith("POST /mcp 400 -> ")
    assert found[2] == "POST /mcp <- (nothing)"
    assert found[3].startswith("POST /mcp 401 -> ")
    assert "POST /mcp 413 -> " in found[5]
    assert found[6] == "GET /mcp <- (nothing)"
    assert "secret" not in caplog.text


def test_off_there_is_nothing_in_the_way() -> None:
    with override_settings(MCP=MCP):
        assert get_server().wire is None
        assert not any(isinstance(v, WireMiddleware) for v in get_views().values())


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("by", ["setting", "environment"])
def test_it_is_for_development_alone(
    monkeypatch: pytest.MonkeyPatch, debug: bool, by: str
) -> None:
    if by == "environment":
        monkeypatch.setenv("DEBUG_TRANSPORT", "1")
    given = {**MCP, **(DEBUGGED if by == "setting" else {})}
    with override_settings(DEBUG=debug, MCP=given):
        if debug:
            assert get_server().wire is not None
        else:
            with pytest.raises(ImproperlyConfigured, match="refused unless DEBUG"):
                get_conf()


@pytest.mark.parametrize("value", ["", "0", "no"])
def test_the_environment_switches_it_on_by_one_word(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("DEBUG_TRANSPORT", value)
    with override_settings(MCP=MCP):
        assert get_server().wire is None
