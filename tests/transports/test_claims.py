from __future__ import annotations

from typing import Any

import pytest

from mcp_transport.engine.session import Claimed
from mcp_transport.protocol.errors import INVALID_REQUEST
from mcp_transport.protocol.messages import dumps, loads, parse
from mcp_transport.protocol.revisions import PLAIN, REVISIONS
from mcp_transport.transports.claims import ONCE, claims, used_before


def message(**members: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", **members}


def claimed(*sent: dict[str, Any], batch: bool = False) -> list[Any]:
    """Return what a body claims."""
    return claims(parse(dumps(list(sent) if batch else sent[0])))


@pytest.mark.parametrize("id", ["a", "1", 1, 0, -5])
def test_a_call_claims_its_id(id: str | int) -> None:
    (found,) = claimed(message(id=id, method="tools/call", params={"name": "x"}))
    assert (found, type(found)) == (id, type(id))


def test_nothing_else_claims_one() -> None:
    methods = {method for r in (*REVISIONS.values(), PLAIN) for method in r.requests}
    assert methods > ONCE
    for method in methods - ONCE:
        assert claimed(message(id=1, method=method)) == []
    for other in (
        message(method="notifications/cancelled", params={"requestId": 1}),
        message(method="tools/call", params={"name": "x"}),
        message(id=1, result={}),
        message(id=1, error={"code": 1, "message": "m"}),
    ):
        assert claimed(other) == []


def test_a_batch_claims_the_ids_of_its_calls_in_their_order() -> None:
    sent = [
        message(id=3, method="tools/call", params={}),
        message(id=2, method="ping"),
        message(id=1, method="tools/call", params={}),
        message(id=3, method="tools/call", params={}),
        message(id=4, method=5),
        message(method="notifications/initialized"),
    ]
    assert claimed(*sent, batch=True) == [3, 1, 3]


@pytest.mark.parametrize("id", ["a", 1])
def test_who_claims_in_vain_is_answered_under_the_id(id: str | int) -> None:
    refused = loads(used_before(Claimed(id)))
    assert refused == {
        "jsonrpc": "2.0",
        "id": id,
        "error": {
            "code": INVALID_REQUEST,
            "message": "a request with this id was made in this session before",
        },
    }
