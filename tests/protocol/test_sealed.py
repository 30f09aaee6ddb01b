from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_transport.protocol.errors import INVALID_PARAMS, ProtocolError
from mcp_transport.protocol.messages import Json, dumps, loads
from mcp_transport.protocol.sealed import (
    MAX_STATE_CHARS,
    State,
    request_digest,
    seal_state,
    unseal_state,
)
from mcp_transport.protocol.signing import Signer

SIGNER = Signer([b"a key of enough bytes"])
PARAMS = {"name": "ship", "arguments": {"sku": "A1", "count": 2}}
DIGEST = request_digest("tools/call", PARAMS)
WHO = {"who": {"action": "accept", "content": {"city": "Oslo"}}}
NOW_S = 1_000_000


def seal(**changes: Any) -> str:
    given: dict[str, Any] = {
        "subject": "token:7",
        "method": "tools/call",
        "digest": DIGEST,
        "answers": WHO,
        "round": 1,
        "expires_at_s": NOW_S + 600,
    }
    return seal_state(SIGNER, **(given | changes))


def unseal(token: Json, signer: Signer = SIGNER, **changes: Any) -> State:
    given: dict[str, Any] = {
        "subject": "token:7",
        "method": "tools/call",
        "digest": DIGEST,
        "now_s": NOW_S,
    }
    return unseal_state(signer, token, **(given | changes))


def refused(token: Json, signer: Signer = SIGNER, **changes: Any) -> None:
    with pytest.raises(ProtocolError) as caught:
        unseal(token, signer, **changes)
    error = caught.value
    assert error.to_json() == {
        "code": INVALID_PARAMS,
        "message": "Invalid or expired requestState",
    }
    assert error.__cause__ is None


def test_a_state_comes_back_to_its_caller() -> None:
    assert unseal(seal()) == State(WHO, 1)
    assert unseal(seal(answers={}, round=0)) == State({}, 0)


answers = st.dictionaries(
    st.text(),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists),
)


@given(answers, st.integers(0, 100))
def test_any_answers_survive(answers: dict[str, Json], round: int) -> None:
    state = unseal(seal(answers=answers, round=round))
    assert state == State(loads(dumps(answers)), round)


def test_more_values_than_one_body_may_hold_survive() -> None:
    many = {str(n): [0] * 5_000 for n in range(6)}
    assert unseal(seal(answers=many)).answers == many


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "token:8"},
        {"subject": ""},
        {"method": "prompts/get"},
        {"digest": request_digest("tools/call", {"name": "ship"})},
        # Parts that would be the same when merely written one after the other.
        {"subject": "token:7tools", "method": "/call"},
        {"subject": 'token:7","tools/call', "method": ""},
    ],
)
def test_a_state_is_bound_to_caller_and_request(changes: dict[str, Any]) -> None:
    refused(seal(), **changes)
    refused(seal(**changes))


def test_a_state_expires() -> None:
    token = seal(expires_at_s=NOW_S)
    assert unseal(token, now_s=NOW_S - 0.001) == State(WHO, 1)
    refused(token, now_s=NOW_S)
    refused(token, now_s=NOW_S + 1e9)


def test_a_state_of_another_key_or_purpose_is_refused() -> None:
    refused(seal(), Signer([b"another key of enough bytes"]))
    refused(SIGNER.sign("cursor:tools", b"{}"))


def test_every_change_of_a_state_is_refused() -> None:
    token = seal()
    refused(token + "-TAMPERED")
    for at in range(0, len(token), 7):
        refused(token[:at])
        refused(token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :])


@pytest.mark.parametrize(
    "token", ["", "v1..", "\ud800", None, 0, 1.5, True, [], {}, [""], {"v1": ""}]
)
def test_what_is_no_state_is_refused(token: Json) -> None:
    refused(token)


def test_the_size_of_a_state_is_limited_both_ways() -> None:
    with pytest.raises(ProtocolError) as caught:
        seal(answers={"who": "x" * MAX_STATE_CHARS})
    assert caught.value.code == INVALID_PARAMS
    large = seal(answers={"who": "x" * (MAX_STATE_CHARS // 2)})
    assert len(large) < MAX_STATE_CHARS
    assert unseal(large).answers == {"who": "x" * (MAX_STATE_CHARS // 2)}
    refused("v" * (MAX_STATE_CHARS + 1))
    # Signed by us, and too long for all that.
    refused(SIGNER.sign("requestState", b"x" * MAX_STATE_CHARS))


def test_states_of_successive_rounds_differ() -> None:
    tokens = {seal(round=round) for round in range(20)}
    assert len(tokens) == 20


def test_a_state_does_not_tell_its_subject() -> None:
    token = seal(subject="user:secret@example.org")
    payload = SIGNER.verify("requestState", token)
    assert payload is not None and b"secret" not in payload


def test_the_digest_is_the_same_in_each_round() -> None:
    retry = {
        "arguments": {"count": 2, "sku": "A1"},
        "_meta": {"progressToken": 9},
        "inputResponses": WHO,
        "requestState": "v1..",
        "name": "ship",
    }
    assert request_digest("tools/call", retry) == DIGEST


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"name": "ship"},
        {"name": "ship", "arguments": {"sku": "A1", "count": 3}},
        {"name": "ship", "arguments": {"sku": "A1", "count": "2"}},
        {"name": "ship", "arguments": {"sku": "A1", "count": True}},
        {"name": "ship", "arguments": {"sku": "A1", "count": 2, "_meta": 1}},
        {"name": "ship", "arguments": {"sku": "A1", "count": 2}, "more": None},
        {"name": "Ship", "arguments": {"sku": "A1", "count": 2}},
    ],
)
def test_the_digest_tells_requests_apart(params: dict[str, Json]) -> None:
    assert request_digest("tools/call", params) != DIGEST


def test_the_digest_covers_the_method() -> None:
    assert request_digest("prompts/get", PARAMS) != DIGEST
    assert request_digest("", {}) != request_digest("{}", {})
