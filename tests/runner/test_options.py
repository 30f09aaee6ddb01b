"""What the command can be told, and what it refuses."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.test import override_settings

from mcp_transport.management.commands.mcp import Command
from mcp_transport.runner import command
from mcp_transport.runner.options import Options, read

SERVED = ["--application", "tests.runner.served.application"]


def options(*arguments: str) -> Options:
    parser = Command().create_parser("manage.py", "mcp")
    return read(vars(parser.parse_args(["serve", *SERVED, *arguments])))


def test_the_settings_say_what_the_command_does_not() -> None:
    given = options()
    assert given.max_body_bytes == 2_621_440  # Django's, the larger one
    assert given.max_message_bytes == 1_048_576
    assert (given.ping_interval_s, given.ping_timeout_s) == (30, 10)
    assert (given.grace_s, given.workers, given.max_connections) == (20, 1, 10_000)
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=None):
        assert options().max_body_bytes == 1_048_576
    with override_settings(MCP={"MAX_BODY_BYTES": 5_000_000}):
        assert options().max_body_bytes == options().max_message_bytes == 5_000_000
    assert options("--max-body-bytes=7").max_body_bytes == 7


def test_the_project_says_what_is_served() -> None:
    parser = Command().create_parser("manage.py", "mcp")
    given = vars(parser.parse_args(["serve"]))
    with pytest.raises(CommandError, match=r"set ASGI_APPLICATION.*--application"):
        read(given)
    with override_settings(ASGI_APPLICATION="mysite.asgi.application"):
        assert read(given).application == "mysite.asgi.application"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--workers=0"], "--workers is 0; it must be from 1 to 64"),
        (["--workers=65"], "from 1 to 64"),
        (["--workers=2"], r'set MCP\["STORE"\] to the URL of a Redis'),
        (["--port=65536"], "--port is 65536"),
        (["--grace=-1"], "--grace is -1"),
        (["--grace=inf"], "--grace is inf"),
        (["--grace=nan"], "--grace is nan"),
        (["--ping-timeout=30"], "--ping-timeout must be less than --ping-interval"),
        (["--ping-interval=0"], "--ping-interval is 0"),
        (["--max-body-bytes=0"], "--max-body-bytes is 0"),
        (["--max-connections=0"], "--max-connections is 0"),
        (["--fd=3", "--port=1"], "Give one of"),
        (["--unix-socket=x", "--host=::1"], "Give one of"),
    ],
)
def test_what_cannot_be_is_refused(arguments: list[str], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        options(*arguments)


def test_wrong_settings_are_named() -> None:
    with (
        override_settings(MCP={"NAME": 1}),
        pytest.raises(ImproperlyConfigured, match="NAME"),
    ):
        options()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--application", "tests.nowhere.application"], "No module named 'tests.now"),
        (["--application", "tests.runner.served:nothing"], "no attribute 'nothing'"),
    ],
)
def test_an_application_that_is_not_there_is_named(
    arguments: list[str], why: str
) -> None:
    with pytest.raises(CommandError, match=why):
        call_command("mcp", "serve", "--port=0", *arguments)


def test_a_place_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=rf"127.0.0.1, port {port}, cannot be"):
            call_command("mcp", "serve", *SERVED, f"--port={port}")
    with pytest.raises(CommandError, match="file descriptor 9999 cannot be used"):
        call_command("mcp", "serve", *SERVED, "--fd=9999")
    place = tmp_path / "file"
    place.touch()
    with pytest.raises(CommandError, match=r"The Unix socket .*file cannot be used"):
        call_command("mcp", "serve", *SERVED, f"--unix-socket={place}")


def test_daphne_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find_spec", lambda _: None)
    unread: dict[str, Any] = {}
    with pytest.raises(CommandError, match=r"pip install 'django-mcp-transport\[daph"):
        command.serve(BaseCommand(), unread)
