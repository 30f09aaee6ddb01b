from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_transport.protocol.errors import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    UNSUPPORTED_PROTOCOL_VERSION,
    ProtocolError,
)
from mcp_transport.protocol.http import (
    check_param_headers,
    classify,
    decode_value,
    has_session,
)
from mcp_transport.protocol.messages import Notification, Request, Response
from mcp_transport.protocol.peer import CAPABILITIES_KEY, VERSION_KEY
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import (
    LATEST,
    REVISIONS,
    STATEFUL,
    STATELESS,
)
from mcp_transport.protocol.schema import HeaderParam

UNKNOWN = "1999-01-01"


def claiming(
    method: str = "tools/list", claim: Any = LATEST.name, **params: Any
) -> Any:
    meta = {VERSION_KEY: claim, CAPABILITIES_KEY: {}}
    return Request(7, method, {**params, "_meta": meta})


def plain(method: str = "tools/list", **params: Any) -> Request:
    return Request(7, method, params)


def headers_of(message: Any, version: str = LATEST.name) -> dict[str, str]:
    """Return the headers that a stateless client sends with a message."""
    headers = {"mcp-protocol-version": version}
    if isinstance(message, Request):
        headers["mcp-method"] = message.method
    return headers


def refused(message: Any, headers: dict[str, str]) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        classify(message, headers, REVISIONS)
    return caught.value


def code(message: Any, headers: dict[str, str]) -> int:
    error = refused(message, headers)
    assert error.request_id == (message.id if isinstance(message, Request) else None)
    return error.code


# Which era a request speaks.


@pytest.mark.parametrize("revision", STATELESS.values(), ids=STATELESS)
def test_a_claim_that_its_headers_repeat_is_stateless(revision: Revision) -> None:
    message = claiming(claim=revision.name)
    headers = headers_of(message, revision.name)
    assert classify(message, headers, REVISIONS) is revision
    notification = Notification("notifications/cancelled", message.params)
    assert classify(notification, headers, REVISIONS) is revision


@pytest.mark.parametrize("version", [None, *STATEFUL])
@pytest.mark.parametrize(
    "message",
    [
        plain(),
        plain("initialize", protocolVersion=LATEST.name),
        plain("unknown/method"),
        Notification("notifications/initialized", {}),
        Response(1, {}, None),
        (plain(), Notification("a", {})),
        (ProtocolError(INVALID_REQUEST, "x"),),
    ],
)
def test_what_claims_nothing_is_of_a_session(message: Any, version: str | None) -> None:
    headers = {} if version is None else {"mcp-protocol-version": version}
    assert classify(message, headers, REVISIONS) is None


def test_a_notification_without_a_claim_goes_by_its_header() -> None:
    notification = Notification("notifications/cancelled", {})
    found = classify(notification, headers_of(notification), REVISIONS)
    assert found is LATEST


@pytest.mark.parametrize(
    "message",
    [
        plain(),
        plain("initialize"),
        Notification("a", {}),
        Response(1, {}, None),
        (plain(),),
    ],
)
def test_an_unknown_version_is_refused(message: Any) -> None:
    error = refused(message, {"mcp-protocol-version": UNKNOWN})
    assert error.code == UNSUPPORTED_PROTOCOL_VERSION
    assert error.data == {"supported": list(REVISIONS), "requested": UNKNOWN}


def test_a_stateless_header_needs_a_claim() -> None:
    error = refused(plain(), headers_of(plain()))
    assert error.code == INVALID_PARAMS
    assert error.data == {"missing": [VERSION_KEY, CAPABILITIES_KEY]}
    assert error.request_id == 7


def test_a_handshake_does_not_exist_in_a_stateless_revision() -> None:
    message = plain("initialize")
    assert code(message, headers_of(message)) == HEADER_MISMATCH
    message = claiming("initialize")
    assert classify(message, headers_of(message), REVISIONS) is LATEST
    assert message.method not in LATEST.requests


@pytest.mark.parametrize(
    ("message", "headers"),
    [
        ((claiming(),), {}),
        ((plain(), claiming()), {}),
        ((Notification("a", {"_meta": {VERSION_KEY: "x"}}),), {}),
        ((plain(),), {"mcp-protocol-version": LATEST.name}),
        (Response(1, {}, None), {"mcp-protocol-version": LATEST.name}),
    ],
)
def test_only_sessions_have_batches_and_responses(
    message: Any, headers: dict[str, str]
) -> None:
    assert refused(message, headers).code == INVALID_REQUEST


# What the headers must repeat.


@pytest.mark.parametrize(
    ("claim", "header", "expected"),
    [
        (LATEST.name, None, HEADER_MISMATCH),
        (LATEST.name, UNKNOWN, HEADER_MISMATCH),
        (LATEST.name, next(iter(STATEFUL)), HEADER_MISMATCH),
        (LATEST.name, LATEST.name + " ", HEADER_MISMATCH),
        (LATEST.name, f"{LATEST.name},{LATEST.name}", HEADER_MISMATCH),
        (UNKNOWN, LATEST.name, HEADER_MISMATCH),
        (UNKNOWN, UNKNOWN, UNSUPPORTED_PROTOCOL_VERSION),
        ("", "", UNSUPPORTED_PROTOCOL_VERSION),
        (5, LATEST.name, INVALID_PARAMS),
        ({}, LATEST.name, INVALID_PARAMS),
    ],
)
def test_the_version_is_compared_before_it_is_judged(
    claim: Any, header: str | None, expected: int
) -> None:
    message = claiming(claim=claim)
    headers = headers_of(message)
    headers.pop("mcp-protocol-version")
    if header is not None:
        headers["mcp-protocol-version"] = header
    assert code(message, headers) == expected


@pytest.mark.parametrize("version", STATEFUL)
def test_a_claim_of_a_stateful_revision_is_not_served(version: str) -> None:
    message = claiming(claim=version)
    error = refused(message, headers_of(message, version))
    assert error.code == UNSUPPORTED_PROTOCOL_VERSION
    assert error.data == {"supported": list(STATELESS), "requested": version}


@pytest.mark.parametrize(
    "header", [None, "", "tools/call", "Tools/List", "tools/list,tools/list"]
)
def test_the_method_is_repeated_exactly(header: str | None) -> None:
    message = claiming()
    headers = {"mcp-protocol-version": LATEST.name}
    if header is not None:
        headers["mcp-method"] = header
    assert code(message, headers) == HEADER_MISMATCH


@pytest.mark.parametrize("method", ["ping", "tools/steal", "logging/setLevel", ""])
def test_a_method_is_judged_where_every_door_has_it_judged(method: str) -> None:
    """Not here, or its claims would be judged after it on this door alone."""
    message = claiming(method)
    assert classify(message, headers_of(message), REVISIONS) is LATEST


NAMED = [("tools/call", "name"), ("prompts/get", "name"), ("resources/read", "uri")]


@pytest.mark.parametrize(("method", "member"), NAMED)
@pytest.mark.parametrize(
    ("name", "header", "fits"),
    [
        ("count", "count", True),
        ("count", "=?base64?Y291bnQ=?=", True),
        ("héllo", "=?base64?aMOpbGxv?=", True),
        ("", "", True),
        ("=?base64?Y291bnQ=?=", "=?base64?PT9iYXNlNjQ/WTI5MWJuUT0/PQ==?=", True),
        ("count", None, False),
        ("count", "Count", False),
        ("count", "", False),
        ("count", "count,count", False),
        ("héllo", "héllo", False),
        ("count", "=?base64?!!!?=", False),
        ("count", "=?BASE64?Y291bnQ=?=", False),
        ("=?base64?Y291bnQ=?=", "=?base64?Y291bnQ=?=", False),
    ],
)
def test_the_name_is_repeated_as_it_is_or_encoded(
    method: str, member: str, name: str, header: str | None, fits: bool
) -> None:
    message = claiming(method, **{member: name})
    headers = headers_of(message)
    if header is not None:
        headers["mcp-name"] = header
    if fits:
        assert classify(message, headers, REVISIONS) is LATEST
    else:
        assert code(message, headers) == HEADER_MISMATCH


@pytest.mark.parametrize(("method", "member"), NAMED)
@pytest.mark.parametrize("value", [None, 5, ["x"]])
def test_a_name_that_is_none_is_malformed(method: str, member: str, value: Any) -> None:
    message = claiming(method, **{member: value})
    headers = {**headers_of(message), "mcp-name": "x"}
    assert code(message, headers) == INVALID_PARAMS


def test_other_methods_have_no_name() -> None:
    message = claiming("tools/list", name="count")
    headers = {**headers_of(message), "mcp-name": "other"}
    assert classify(message, headers, REVISIONS) is LATEST


# Requests without a body.


@pytest.mark.parametrize("version", [None, *STATEFUL])
def test_a_session_is_named_by_its_header(version: str | None) -> None:
    headers = {} if version is None else {"mcp-protocol-version": version}
    assert has_session({**headers, "mcp-session-id": "s"}, REVISIONS) is True
    assert has_session(headers, REVISIONS) is False


def test_a_stateless_revision_has_no_sessions() -> None:
    headers = {"mcp-protocol-version": LATEST.name, "mcp-session-id": "s"}
    assert has_session(headers, REVISIONS) is False
    with pytest.raises(ProtocolError) as caught:
        has_session({**headers, "mcp-protocol-version": UNKNOWN}, REVISIONS)
    assert caught.value.code == UNSUPPORTED_PROTOCOL_VERSION


# Values of headers.


def encoded(text: str) -> str:
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


@given(st.text())
def test_any_text_survives_its_encoding(text: str) -> None:
    assert decode_value(encoded(text)) == text


@pytest.mark.parametrize(
    "value", ["", "plain", "a b", "=?", "=?base64?", "=?base64?=", "x?=", "?="]
)
def test_plain_values_are_taken_as_they_are(value: str) -> None:
    assert decode_value(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "é",
        "a\x00b",
        "a\x7fb",
        "a\nb",
        "a\tb",
        "\u0663",
        "=?base64?é?=",
        "=?base64?YQ?=",
        "=?base64?Y Q==?=",
        "=?base64?YQ==x?=",
        "=?base64?/w==?=",
    ],
)
def test_values_that_no_client_sends_are_refused(value: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_value(value)
    assert caught.value.code == HEADER_MISMATCH


# Arguments that headers repeat.

PARAMS = (
    HeaderParam("mcp-param-region", ("region",), "string"),
    HeaderParam("mcp-param-count", ("count",), "integer"),
    HeaderParam("mcp-param-dry", ("dry",), "boolean"),
    HeaderParam("mcp-param-city", ("to", "city"), "string"),
)


@pytest.mark.parametrize(
    ("arguments", "headers", "fits"),
    [
        ({}, {}, True),
        ({"region": None}, {}, True),
        ({"region": "eu"}, {"region": "eu"}, True),
        ({"region": ""}, {"region": ""}, True),
        ({"region": "ü"}, {"region": encoded("ü")}, True),
        ({"region": "eu"}, {"region": "EU"}, False),
        ({"region": "eu"}, {"region": "eu,eu"}, False),
        ({"region": "eu"}, {}, False),
        ({}, {"region": "eu"}, False),
        ({"region": None}, {"region": "null"}, False),
        ({"count": 3}, {"count": "3"}, True),
        ({"count": 3}, {"count": "03"}, True),
        ({"count": -3}, {"count": "-3"}, True),
        ({"count": 0}, {"count": "0"}, True),
        ({"count": 2**53 - 1}, {"count": str(2**53 - 1)}, True),
        ({"count": 2**53}, {"count": str(2**53)}, False),
        ({"count": 3}, {"count": "3.0"}, False),
        ({"count": 3}, {"count": "+3"}, False),
        ({"count": 3}, {"count": "--3"}, False),
        ({"count": 3}, {"count": "1_0"}, False),
        ({"count": 3}, {"count": ""}, False),
        ({"count": 3}, {"count": "0" * 5000 + "3"}, False),
        ({"count": 3}, {"count": encoded("\u0663")}, False),
        ({"count": 2}, {"count": encoded("\u00b2")}, False),
        ({"count": "3"}, {"count": "3"}, True),
        ({"dry": True}, {"dry": "true"}, True),
        ({"dry": False}, {"dry": "false"}, True),
        ({"dry": True}, {"dry": "1"}, False),
        ({"dry": 1}, {"dry": "true"}, False),
        ({"to": {"city": "Oslo"}}, {"city": "Oslo"}, True),
        ({"to": {"city": "Oslo"}}, {}, False),
        ({"to": {}}, {}, True),
        ({"to": "Oslo"}, {}, True),
        ({"to": "Oslo"}, {"city": "Oslo"}, False),
        ({"region": ["eu"]}, {"region": "eu"}, False),
        ({"other": "x"}, {"other": "y"}, True),
    ],
)
def test_each_header_repeats_its_argument(
    arguments: dict[str, Any], headers: dict[str, str], fits: bool
) -> None:
    sent = {f"mcp-param-{name}": value for name, value in headers.items()}
    if fits:
        check_param_headers(PARAMS, arguments, sent)
        return
    with pytest.raises(ProtocolError) as caught:
        check_param_headers(PARAMS, arguments, sent)
    assert caught.value.code == HEADER_MISMATCH
    assert "mcp-param-" in caught.value.message
