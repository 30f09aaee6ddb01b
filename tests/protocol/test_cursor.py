from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_transport.protocol.cursor import decode_cursor, encode_cursor
from mcp_transport.protocol.errors import INVALID_PARAMS, ProtocolError
from mcp_transport.protocol.messages import Json
from mcp_transport.protocol.signing import Signer

SIGNER = Signer([b"a key of enough bytes"])
unicode_text = st.text(st.characters(exclude_categories=["Cs"]))


def refused(scope: str, cursor: Json, signer: Signer = SIGNER) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_cursor(signer, scope, cursor)
    assert (caught.value.code, caught.value.message) == (
        INVALID_PARAMS,
        "Invalid cursor",
    )


@given(unicode_text, unicode_text)
def test_a_cursor_gives_its_position_back(scope: str, position: str) -> None:
    cursor = encode_cursor(SIGNER, scope, position)
    assert decode_cursor(SIGNER, scope, cursor) == position


def test_a_cursor_is_valid_in_its_own_list_only() -> None:
    cursor = encode_cursor(SIGNER, "tools", "count_orders")
    refused("prompts", cursor)
    refused("", cursor)
    refused("tools", cursor, Signer([b"another key of enough bytes"]))


def test_a_token_signed_for_something_else_is_no_cursor() -> None:
    refused("tools", SIGNER.sign("tools", b"count_orders"))
    refused("tools", SIGNER.sign("requestState", b"count_orders"))


@pytest.mark.parametrize(
    "cursor",
    ["", "0", "v1..", "count_orders", "Y291bnRfb3JkZXJz", "\ud800", "\0"]
    + [None, 0, 1.5, True, [], {}, ["v1"], {"cursor": "x"}],
)
def test_all_else_is_refused(cursor: Json) -> None:
    refused("tools", cursor)


def test_a_tampered_or_huge_cursor_is_refused() -> None:
    cursor = encode_cursor(SIGNER, "tools", "count_orders")
    refused("tools", cursor + "A")
    refused("tools", cursor[:-1])
    refused("tools", cursor * 10_000)
