"""Which trace a request belongs to. Spec: W3C Trace Context #traceparent-header."""

from __future__ import annotations

import pytest

from mcp_transport.protocol.tracecontext import carrier, trace_id, traceparent

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def test_the_id_is_part_of_it() -> None:
    assert traceparent({"_meta": {"traceparent": PARENT}}, None) == PARENT
    assert trace_id(PARENT) == TRACE


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        1,
        "",
        TRACE,
        PARENT.upper(),
        PARENT.replace("00-", "ff-", 1),
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE}-{'0' * 16}-01",
        PARENT + "\n",
        PARENT + "-more",
    ],
)
def test_what_is_malformed_says_nothing(wrong: object) -> None:
    assert traceparent({"_meta": {"traceparent": wrong}}, None) is None
    assert traceparent({"_meta": wrong}, {}) is None


def test_a_header_is_second() -> None:
    headers = {"traceparent": PARENT}
    assert traceparent({}, headers) == PARENT
    assert traceparent({"_meta": {"traceparent": "?"}}, headers) == PARENT


STATE = "a=1,b=2"


def test_the_state_comes_from_where_the_parent_does() -> None:
    inside = {"_meta": {"traceparent": PARENT, "tracestate": STATE}}
    headers = {"traceparent": PARENT.replace("0af", "1bf"), "tracestate": "c=3"}
    told = {"traceparent": PARENT, "tracestate": STATE}
    assert carrier(inside, headers) == told
    assert carrier({}, headers) == headers
    alone = {"_meta": {"traceparent": PARENT}}
    assert carrier(alone, headers) == {"traceparent": PARENT}


def test_without_a_parent_there_is_no_state() -> None:
    assert carrier({"_meta": {"tracestate": STATE}}, {"tracestate": STATE}) == {}
    assert carrier({"_meta": 7}, None) == {}


@pytest.mark.parametrize("wrong", [None, 7, ["a=1"], "a=" + "1" * 511])
def test_a_state_that_is_none_is_left_out(wrong: object) -> None:
    meta = {"traceparent": PARENT, "tracestate": wrong}
    assert carrier({"_meta": meta}, None) == {"traceparent": PARENT}
