"""Who calls is said at the start, or there is no serving."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.stdio.conftest import Start
from tests.stdio.process import PATIENCE_S, Stdio, call, request, text_of

WHOAMI = call(1, "whoami")


def answer(server: Stdio) -> str:
    server.says(WHOAMI)
    return text_of(server.hears())


def refused(server: Stdio) -> str:
    """Return why it refuses, which it says on standard error alone."""
    assert server.process.wait(PATIENCE_S) == 1
    assert server.process.stdout is not None
    assert server.process.stdout.read() == b""
    assert "Traceback" not in server.said()
    return server.said()


def test_a_user_may_be_named(start: Start) -> None:
    assert answer(start("--user=ada")) == "user:1 ada"


def test_a_token_may_be_in_the_environment(start: Start, token: str) -> None:
    public_id = token.split("_")[1]
    server = start("--expect-parent", parent(), more={"MCP_TOKEN": token})
    assert answer(server) == f"token:{public_id} ada"
    assert token not in server.said()


def test_a_user_who_is_named_goes_before_the_token(start: Start) -> None:
    server = start("--user=ada", more={"MCP_TOKEN": "mcp_no_token"})
    assert answer(server) == "user:1 ada"


def test_the_user_may_do_no_more_than_elsewhere(start: Start) -> None:
    server = start("--user=ada")
    server.says(request(1, "tools/list"))
    names = {tool["name"] for tool in server.hears()["result"]["tools"]}
    assert "whoami" in names
    assert "close_shop" not in names


def test_anonymous_callers_need_a_setting(start: Start) -> None:
    server = start("--expect-parent", parent(), more={"SHOP_IS_OPEN": "1"})
    assert answer(server) == "anonymous nobody"


def test_nobody_is_refused_and_told_the_two_ways(start: Start) -> None:
    said = refused(start("--expect-parent", parent()))
    assert "--user" in said
    assert "MCP_TOKEN" in said


@pytest.mark.parametrize("wrong", ["", "mcp_no_token", "mcp_" + "x" * 56])
def test_a_wrong_token_is_refused_even_where_anybody_may_call(
    start: Start, wrong: str
) -> None:
    more = {"MCP_TOKEN": wrong, "SHOP_IS_OPEN": "1"}
    said = refused(start("--expect-parent", parent(), more=more))
    assert "MCP_TOKEN is not valid" in said
    assert not wrong or wrong not in said


@pytest.mark.parametrize(("user", "why"), [("eve", "not active"), ("bob", "no user")])
def test_a_user_who_may_not_log_in_is_refused(
    start: Start, user: str, why: str
) -> None:
    assert why in refused(start(f"--user={user}"))


# The parent.


def parent() -> str:
    """Return the name of what runs this test."""
    return Path(os.path.realpath(sys.executable)).name


def test_the_expected_parent_is_served(start: Start) -> None:
    assert answer(start("--user=ada", "--expect-parent", parent())) == "user:1 ada"


@pytest.mark.parametrize("name", ["claude", "", "python", os.sep + "python3"])
def test_another_parent_is_refused_by_name(start: Start, name: str) -> None:
    said = refused(start("--user=ada", "--expect-parent", name))
    assert f'The parent process is "{parent()}"' in said
