from __future__ import annotations

import pytest

from mcp_transport.guards.cors import ALLOW_HEADERS, allowed_headers


@pytest.mark.parametrize(
    "requested", ["", "authorization", "x-evil", "mcp-param-", "mcp-param-a b", "*"]
)
def test_what_the_protocol_needs_is_allowed_and_nothing_else(requested: str) -> None:
    assert allowed_headers(requested) == list(ALLOW_HEADERS)


def test_headers_of_arguments_are_allowed_as_they_are_requested() -> None:
    found = allowed_headers("accept, mcp-param-region ,x-evil,mcp-param-a_b")
    assert found == [*ALLOW_HEADERS, "mcp-param-region", "mcp-param-a_b"]
    assert allowed_headers("Mcp-Param-Region") == list(ALLOW_HEADERS)
    assert allowed_headers("mcp-param-a\r\nx: y") == list(ALLOW_HEADERS)
