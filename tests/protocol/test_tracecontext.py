"""Which trace a request belongs to. Spec: W3C Trace Context #traceparent-header."""

from __future__ import annotations

import pytest

from mcp_transport.protocol.tracecontext import trace_id, traceparent

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
