"""However the client goes, the server ends: soon, cleanly and with status 0."""

from __future__ import annotations

import signal

import pytest

from mcp_transport.protocol.peer import SUBSCRIPTION_KEY
from tests.stdio.conftest import Start
from tests.stdio.process import Stdio, call, request, text_of

# Tools that would run for ten minutes, by what they leave as their mark.
ENDLESS = {
    "waiting": call("endless", "wait"),
    "clinging": call("endless", "cling"),
    "taking": call("endless", "take", seconds=600),
    "holding": call("endless", "hold_up", seconds=600),
}

every_endless = pytest.mark.parametrize("mark", ENDLESS)


def busy(start: Start, mark: str) -> Stdio:
    server = start()
    server.says(ENDLESS[mark])
    server.sees(mark)
    return server


def test_it_ends_when_its_input_does(start: Start) -> None:
    server = start()
    server.says(call(1, "echo", text="yes"))
    assert text_of(server.hears()) == "yes"
    server.hangs_up()
    assert server.ends() == []


@every_endless
def test_what_runs_when_the_input_ends_is_ended(start: Start, mark: str) -> None:
    server = busy(start, mark)
    server.hangs_up()
    assert server.ends() == []
    assert (server.marks / "cancelled").exists() is (mark == "waiting")


def test_what_ends_soon_after_the_input_is_answered(start: Start) -> None:
    server = start()
    server.says(call(1, "take", seconds=0.5), call(2, "wait"))
    server.sees("taking")
    server.hangs_up()
    (message,) = server.ends()
    assert (message["id"], text_of(message)) == (1, "took")


def test_an_answer_that_is_not_read_does_not_hold_it_up(start: Start) -> None:
    server = start()
    server.says(call(1, "repeat", times=200_000))
    server.says(call(2, "take", seconds=0))
    server.sees("taking")
    server.hangs_up()
    assert server.process.wait(30) == 0
    assert "Traceback" not in server.said()


def test_a_stream_of_changes_ends_at_once_with_the_input(start: Start) -> None:
    server = start()
    filter = {"toolsListChanged": True}
    server.says(request("s", "subscriptions/listen", notifications=filter))
    assert server.hears()["method"] == "notifications/subscriptions/acknowledged"
    server.hangs_up()
    (message,) = server.ends()
    assert message["id"] == "s"
    assert message["result"]["_meta"][SUBSCRIPTION_KEY] == "s"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(start: Start, number: int) -> None:
    server = busy(start, "waiting")
    server.process.send_signal(number)
    assert server.ends() == []
    assert (server.marks / "cancelled").exists()


@every_endless
def test_a_signal_ends_whatever_runs(start: Start, mark: str) -> None:
    server = busy(start, mark)
    server.process.terminate()
    assert server.ends() == []


def test_a_signal_while_it_ends_already_does_no_harm(start: Start) -> None:
    server = busy(start, "taking")
    server.hangs_up()
    for _ in range(3):
        server.process.terminate()
    assert server.ends() == []


def test_a_signal_cuts_no_line(start: Start) -> None:
    server = start()
    server.says(call(1, "repeat", times=200_000), call(2, "take", seconds=0))
    server.sees("taking")
    server.process.terminate()
    # Every line that is there is a whole one: they are parsed.
    assert {message["id"] for message in server.ends()} <= {1, 2}


def test_it_ends_when_nobody_reads_its_output(start: Start) -> None:
    server = start()
    server.says(call(1, "echo", text="yes"))
    assert text_of(server.hears()) == "yes"
    server.deafens()
    server.says(call(2, "echo", text="too late"))
    assert server.ends() == []


@every_endless
def test_what_runs_when_nobody_reads_the_output_is_ended(
    start: Start, mark: str
) -> None:
    server = start()
    server.says(call(1, "echo_at_once", text="yes"))
    assert text_of(server.hears()) == "yes"
    server.deafens()
    server.says(ENDLESS[mark])
    server.sees(mark)
    if mark == "holding":
        server.hangs_up()  # nothing can be sent, so that nobody is missed
    else:
        server.says(request(3, "tools/list"))
    assert server.ends() == []
