from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mcp_transport.protocol.revision import (
    Revision,
    as_sent,
    extended,
    fields,
    unchanged,
)

TABLE = fields(
    ListToolsResult="tools nextCursor _meta",
    Tool="name annotations icons",
    ToolAnnotations="readOnlyHint",
    Icon="src",
    CallToolResult="content isError",
    Annotations="priority",
    text="type text annotations",
    resource="type resource",
    ResourceContents="uri text",
    GetPromptResult="messages",
    PromptMessage="role content",
    InputRequiredResult="inputRequests requestState",
)


def shout(block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": block["data"].upper(), "secret": 1}


SMALL = Revision(
    name="small",
    stateful=True,
    batching=False,
    requests=frozenset(),
    notifications=frozenset(),
    asks=frozenset(),
    fields=TABLE,
    content={"audio": shout},
    sampled=frozenset(),
    resource_not_found=-1,
    default_log_level=None,
)


def test_a_table_is_written_in_words() -> None:
    assert fields(A="a b", B="") == {"A": frozenset("ab"), "B": frozenset()}


def test_a_table_is_made_of_the_one_before() -> None:
    base = fields(A="a", B="b")
    assert extended(base, B="c d", C="e") == {
        "A": frozenset("a"),
        "B": frozenset("bcd"),
        "C": frozenset("e"),
    }
    assert base == fields(A="a", B="b")


def test_only_fields_of_the_table_are_sent_at_any_depth() -> None:
    tool = {
        "name": "a",
        "title": "no",
        "annotations": {"readOnlyHint": True, "title": "no"},
        "icons": [{"src": "x", "theme": "no"}, {"src": "y"}],
    }
    result = {"tools": [tool], "nextCursor": "c", "ttlMs": 5}
    assert SMALL.encode("tools/list", result) == {
        "tools": [
            {
                "name": "a",
                "annotations": {"readOnlyHint": True},
                "icons": [{"src": "x"}, {"src": "y"}],
            }
        ],
        "nextCursor": "c",
    }
    assert tool["title"] == "no"


def test_what_is_empty_stays() -> None:
    assert SMALL.encode("tools/list", {"tools": []}) == {"tools": []}
    assert SMALL.encode("tools/call", {"content": [], "isError": False}) == {
        "content": [],
        "isError": False,
    }


def test_blocks_are_said_in_kinds_that_there_are() -> None:
    text = {"type": "text", "text": "t", "annotations": {"priority": 1, "x": 2}}
    embedded = {"type": "resource", "resource": {"uri": "u", "text": "t", "blob": "b"}}
    audio = {"type": "audio", "data": "a"}
    found = SMALL.encode("tools/call", {"content": [text, embedded, audio], "x": 1})
    assert found == {
        "content": [
            {"type": "text", "text": "t", "annotations": {"priority": 1}},
            {"type": "resource", "resource": {"uri": "u", "text": "t"}},
            {"type": "text", "text": "A"},
        ]
    }


def test_a_message_holds_one_block() -> None:
    messages = [{"role": "user", "content": {"type": "audio", "data": "a"}}]
    found = SMALL.encode("prompts/get", {"messages": messages, "description": "no"})
    assert found == {
        "messages": [{"role": "user", "content": {"type": "text", "text": "A"}}]
    }


def test_a_block_of_no_kind_is_nobodys() -> None:
    with pytest.raises(KeyError):
        SMALL.block({"type": "video"})


def test_a_method_without_a_result_sends_nothing_but_metadata() -> None:
    assert SMALL.encode("ping", {"x": 1}) == {}
    assert SMALL.encode("ping", {"x": 1, "_meta": {"m": 1}}) == {"_meta": {"m": 1}}


def test_a_result_that_asks_is_of_a_type_of_its_own() -> None:
    asking = {"inputRequests": {}, "requestState": "s", "content": []}
    for method in ("tools/call", "prompts/get"):
        assert SMALL.encode(method, asking) == {
            "inputRequests": {},
            "requestState": "s",
        }


def test_a_result_is_finished_in_the_revisions_own_way() -> None:
    def finish(method: str, result: dict[str, Any]) -> dict[str, Any]:
        return {**result, "by": method}

    finishing = replace(SMALL, finish=finish)
    assert finishing.encode("ping", {}) == {"by": "ping"}
    assert finishing.encode("tools/list", {"tools": []}) == {
        "tools": [],
        "by": "tools/list",
    }


def test_unless_told_nothing_is_changed() -> None:
    value = {"a": 1}
    assert unchanged(value) is value
    assert as_sent("ping", value) is value
    assert SMALL.elicitation_schema(value) is value
