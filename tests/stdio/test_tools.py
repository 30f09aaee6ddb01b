"""Tools that print, start programs and use the database do not get in the way."""

from __future__ import annotations

from tests.stdio.conftest import Start
from tests.stdio.process import call, text_of


def test_what_tools_write_goes_to_standard_error(start: Start) -> None:
    server = start()
    server.says(call(1, "chatter"))
    assert text_of(server.hears()) == "said"
    for said in ("printed", "written", "by number", "logged", "by a child"):
        assert said in server.said().splitlines()
    server.hangs_up()
    assert server.ends() == []


def test_a_child_that_floods_its_output_disturbs_nobody(start: Start) -> None:
    server = start()
    server.says(call(1, "flood"), call(2, "echo", text="calm"))
    answers = {
        message["id"]: text_of(message)
        for message in (server.hears() for _ in range(2))
    }
    assert answers == {1: "flooded", 2: "calm"}
    assert server.said().count("flood ") == 200_000
    server.hangs_up()
    assert server.ends() == []


def test_tools_and_their_children_find_nothing_to_read(start: Start) -> None:
    server = start()
    # Both read while what follows is there to be read.
    server.says(
        call(1, "child_reads"),
        call(2, "ask_for_line"),
        *(call(n, "echo", text="for you") for n in range(3, 9)),
    )
    answers = {
        message["id"]: text_of(message)
        for message in (server.hears() for _ in range(8))
    }
    assert answers.pop(1) == "b''"
    assert answers.pop(2) == "nothing to read"
    assert set(answers.values()) == {"for you"}


def test_the_token_is_not_handed_on_to_children(start: Start, token: str) -> None:
    server = start("--user=ada", more={"MCP_TOKEN": token, "SHOP_NAME": "tea"})
    server.says(call(1, "child_knows", name="SHOP_NAME"))
    assert text_of(server.hears()) == repr("tea\n")
    server.says(call(2, "child_knows", name="MCP_TOKEN"))
    assert text_of(server.hears()) == repr("")


def test_no_connection_to_the_database_stays_open(start: Start) -> None:
    server = start()
    server.says(call(1, "count_users"))
    assert text_of(server.hears()) == "2"
    server.says(call(2, "left_open"))
    assert text_of(server.hears()) == "false"
