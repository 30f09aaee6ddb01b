from __future__ import annotations

import pytest

from mcp_transport.protocol import errors
from mcp_transport.protocol.errors import (
    InsufficientScope,
    ProtocolError,
    TooManyRequests,
    Unavailable,
    invalid_params,
    invalid_request,
    method_not_found,
)


def test_every_code_is_the_one_of_the_specification_or_outside_of_it() -> None:
    assert {name: code for name, code in vars(errors).items() if name.isupper()} == {
        "PARSE_ERROR": -32700,
        "INVALID_REQUEST": -32600,
        "METHOD_NOT_FOUND": -32601,
        "INVALID_PARAMS": -32602,
        "INTERNAL_ERROR": -32603,
        "RESOURCE_NOT_FOUND": -32002,
        "HEADER_MISMATCH": -32020,
        "MISSING_CLIENT_CAPABILITY": -32021,
        "UNSUPPORTED_PROTOCOL_VERSION": -32022,
        "TOO_MANY_REQUESTS": 429,
        "INSUFFICIENT_SCOPE": 403,
        "UNAVAILABLE": 503,
    }


def test_an_error_says_its_data_only_if_it_has_some() -> None:
    assert ProtocolError(-1, "no").to_json() == {"code": -1, "message": "no"}


@pytest.mark.parametrize("data", [{}, [], 0, False, "", {"a": 1}])
def test_data_that_is_empty_is_data(data: object) -> None:
    said = ProtocolError(-1, "no", data).to_json()
    assert said == {"code": -1, "message": "no", "data": data}


def test_an_error_may_know_whose_it_is() -> None:
    assert ProtocolError(-1, "no").request_id is None
    assert ProtocolError(-1, "no", request_id=0).request_id == 0
    assert str(ProtocolError(-1, "no")) == "no"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (invalid_params("a"), -32602, "a"),
        (invalid_request("b"), -32600, "b"),
        (method_not_found("tools/steal"), -32601, "Method not found: tools/steal"),
    ],
)
def test_the_usual_errors_have_makers(
    error: ProtocolError, code: int, message: str
) -> None:
    assert (error.code, error.message, error.data) == (code, message, None)


def test_makers_pass_data_on() -> None:
    assert invalid_params("a", {"x": 1}).data == {"x": 1}
    assert invalid_request("a", [1]).data == [1]


@pytest.mark.parametrize(
    ("error", "code", "data"),
    [
        (TooManyRequests("no", 3), 429, {"retryAfter": 3}),
        (TooManyRequests("no", 0), 429, {"retryAfter": 0}),
        (TooManyRequests("no"), 429, None),
        (Unavailable("no", 1), 503, {"retryAfter": 1}),
        (InsufficientScope("tools:call"), 403, None),
    ],
)
def test_an_error_of_our_own_says_what_may_be_done(
    error: ProtocolError, code: int, data: object
) -> None:
    assert (error.code, error.data) == (code, data)
