from __future__ import annotations

from typing import Any

import pytest

from mcp_transport.protocol.errors import (
    INVALID_PARAMS,
    UNSUPPORTED_PROTOCOL_VERSION,
    ProtocolError,
)
from mcp_transport.protocol.peer import (
    CAPABILITIES_KEY,
    CLIENT_INFO_KEY,
    LEVELS,
    LOG_LEVEL_KEY,
    VERSION_KEY,
    Peer,
    check_log_level,
    claimed_version,
    unsupported_version,
)
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import (
    LATEST,
    LATEST_STATEFUL,
    REVISIONS,
    STATEFUL,
    STATELESS,
)

GOOD: dict[str, Any] = {VERSION_KEY: LATEST.name, CAPABILITIES_KEY: {}}


def from_meta(meta: Any) -> Peer:
    return Peer.from_meta({"_meta": meta}, STATELESS)


def refused(meta: Any) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        from_meta(meta)
    return caught.value


def test_the_keys_are_those_of_the_specification() -> None:
    assert [VERSION_KEY, CAPABILITIES_KEY, CLIENT_INFO_KEY, LOG_LEVEL_KEY] == [
        "io.modelcontextprotocol/protocolVersion",
        "io.modelcontextprotocol/clientCapabilities",
        "io.modelcontextprotocol/clientInfo",
        "io.modelcontextprotocol/logLevel",
    ]


# Stateless.


@pytest.mark.parametrize(
    ("params", "claim"),
    [
        ({"_meta": {VERSION_KEY: "x"}}, "x"),
        ({"_meta": {VERSION_KEY: 5}}, 5),
        ({"_meta": {VERSION_KEY: ""}}, ""),
        ({"_meta": {VERSION_KEY: None}}, None),
        ({"_meta": {}}, None),
        ({"_meta": []}, None),
        ({"_meta": None}, None),
        ({}, None),
    ],
)
def test_a_claim_is_found_where_there_is_one(params: Any, claim: Any) -> None:
    assert claimed_version(params) == claim


def test_a_request_tells_who_sends_it() -> None:
    info = {"name": "c", "version": "1"}
    meta = {**GOOD, CLIENT_INFO_KEY: info, LOG_LEVEL_KEY: "info", "other": 1}
    peer = from_meta({**meta, CAPABILITIES_KEY: {"roots": {}}})
    assert peer.revision is LATEST
    assert peer.capabilities == {"roots": {}}
    assert peer.info == info
    assert peer.log_level == "info"


def test_what_need_not_be_said_is_not_needed() -> None:
    peer = from_meta(GOOD)
    assert (peer.info, peer.log_level) == (None, None)
    peer = from_meta({**GOOD, CLIENT_INFO_KEY: None, LOG_LEVEL_KEY: None})
    assert (peer.info, peer.log_level) == (None, None)


@pytest.mark.parametrize(
    ("meta", "missing"),
    [
        (None, [VERSION_KEY, CAPABILITIES_KEY]),
        ([], [VERSION_KEY, CAPABILITIES_KEY]),
        ("x", [VERSION_KEY, CAPABILITIES_KEY]),
        ({}, [VERSION_KEY, CAPABILITIES_KEY]),
        ({VERSION_KEY: LATEST.name}, [CAPABILITIES_KEY]),
        ({CAPABILITIES_KEY: {}}, [VERSION_KEY]),
        ({**GOOD, VERSION_KEY: 20260728}, [VERSION_KEY]),
        ({**GOOD, CAPABILITIES_KEY: []}, [CAPABILITIES_KEY]),
        ({**GOOD, CAPABILITIES_KEY: None}, [CAPABILITIES_KEY]),
    ],
)
def test_what_must_be_said_is_named(meta: Any, missing: list[str]) -> None:
    error = refused(meta)
    assert error.code == INVALID_PARAMS
    assert error.data == {"missing": missing}
    assert error.message == "params._meta needs " + " and ".join(missing)


@pytest.mark.parametrize("version", ["", "1999-01-01", "draft", *STATEFUL])
def test_a_version_that_is_not_served_is_named_with_those_that_are(
    version: str,
) -> None:
    error = refused({**GOOD, VERSION_KEY: version})
    assert error.code == UNSUPPORTED_PROTOCOL_VERSION
    assert error.message == f"Unsupported protocol version: {version}"
    assert error.data == {"supported": list(STATELESS), "requested": version}


def test_a_version_is_judged_before_what_it_would_ask_for() -> None:
    error = refused({VERSION_KEY: "1999", CAPABILITIES_KEY: 5})
    assert error.code == UNSUPPORTED_PROTOCOL_VERSION


def test_a_version_is_not_repeated_at_any_length() -> None:
    error = unsupported_version("x" * 1000, REVISIONS)
    assert error.data == {"supported": list(REVISIONS), "requested": "x" * 64}
    assert len(error.message) < 100
    assert unsupported_version(None, {}).data == {"supported": [], "requested": "None"}


@pytest.mark.parametrize("info", ["me", [], 5, True])
def test_what_a_client_calls_itself_is_an_object(info: Any) -> None:
    assert refused({**GOOD, CLIENT_INFO_KEY: info}).code == INVALID_PARAMS


@pytest.mark.parametrize("level", ["loud", "Info", "", 1, [], {}, True])
def test_a_level_is_one_of_eight(level: Any) -> None:
    error = refused({**GOOD, LOG_LEVEL_KEY: level})
    assert error.code == INVALID_PARAMS
    assert error.message == f"The log level must be one of {', '.join(LEVELS)}"


def test_levels_are_in_the_order_of_their_weight() -> None:
    assert " ".join(LEVELS) == (
        "debug info notice warning error critical alert emergency"
    )
    assert [check_log_level(level) for level in LEVELS] == list(LEVELS)


# Stateful.


@pytest.mark.parametrize("revision", STATEFUL.values(), ids=STATEFUL)
def test_a_handshake_agrees_on_what_both_have(revision: Revision) -> None:
    params = {
        "protocolVersion": revision.name,
        "capabilities": {"roots": {"listChanged": True}},
        "clientInfo": {"name": "c"},
    }
    peer = Peer.from_initialize(params, STATEFUL)
    assert peer.revision is revision
    assert peer.capabilities == {"roots": {"listChanged": True}}
    assert peer.info == {"name": "c"}
    assert peer.log_level == revision.default_log_level


@pytest.mark.parametrize("version", ["", "1999-01-01", "2099-01-01", *STATELESS])
def test_a_handshake_for_anything_else_is_offered_the_latest(version: str) -> None:
    peer = Peer.from_initialize({"protocolVersion": version}, STATEFUL)
    assert peer.revision is LATEST_STATEFUL


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "initialize needs protocolVersion, a string"),
        ({"protocolVersion": None}, "initialize needs protocolVersion, a string"),
        ({"protocolVersion": 1, "capabilities": {}}, "initialize needs protocolVers"),
        ({"protocolVersion": "x", "capabilities": []}, "initialize needs capabilities"),
        ({"protocolVersion": "x", "capabilities": None}, "initialize needs capabiliti"),
        ({"protocolVersion": "x", "clientInfo": "me"}, "clientInfo must be an object"),
    ],
)
def test_a_malformed_handshake_is_refused(params: Any, words: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        Peer.from_initialize(params, STATEFUL)
    assert caught.value.code == INVALID_PARAMS
    assert caught.value.message.startswith(words)


# What the peer can do.


@pytest.mark.parametrize(
    ("declared", "capability", "expected"),
    [
        ({}, ("roots",), False),
        ({"roots": {}}, ("roots",), True),
        ({"roots": {"listChanged": True}}, ("roots",), True),
        ({"roots": None}, ("roots",), False),
        ({"roots": True}, ("roots",), False),
        ({"sampling": {}}, ("sampling",), True),
        ({"sampling": {}}, ("sampling", "tools"), False),
        ({"sampling": {"tools": {}}}, ("sampling", "tools"), True),
        ({"sampling": {"tools": True}}, ("sampling", "tools"), False),
        ({"sampling": {"tools": {}}}, ("sampling",), True),
        ({"elicitation": {}}, ("elicitation", "form"), True),
        ({"elicitation": {}}, ("elicitation", "url"), False),
        ({"elicitation": {"form": {}}}, ("elicitation", "form"), True),
        ({"elicitation": {"form": {}}}, ("elicitation", "url"), False),
        ({"elicitation": {"url": {}}}, ("elicitation", "form"), False),
        ({"elicitation": {"url": {}}}, ("elicitation", "url"), True),
        ({"elicitation": {"url": None}}, ("elicitation", "url"), False),
        ({"elicitation": []}, ("elicitation", "form"), False),
        ({"other": {}}, ("other",), False),
    ],
)
@pytest.mark.parametrize("revision", REVISIONS.values(), ids=REVISIONS)
def test_a_capability_counts_where_the_revision_has_it(
    revision: Revision, declared: Any, capability: tuple[str, ...], expected: bool
) -> None:
    peer = Peer(revision, declared)
    assert peer.declares(capability) is (expected and capability in revision.asks)


@pytest.mark.parametrize("wanted", LEVELS)
@pytest.mark.parametrize("level", LEVELS)
def test_a_peer_hears_its_level_and_what_is_graver(wanted: str, level: str) -> None:
    peer = Peer(LATEST, log_level=wanted)
    assert peer.hears(level) is (LEVELS.index(level) >= LEVELS.index(wanted))
    assert Peer(LATEST).hears(level) is False


@pytest.mark.parametrize(
    ("info", "said"),
    [
        (None, ""),
        ({}, ""),
        ({"name": "app"}, "app"),
        ({"version": "1"}, "1"),
        ({"name": "app \u00e9", "version": "1.2"}, "app \u00e9 1.2"),
        ({"name": ["app"], "version": 2}, ""),
        # Neither a line of its own, nor one that is read from the right.
        ({"name": "a\nb\u202ec\x00", "version": "1"}, "abc 1"),
        ({"name": "x" * 5000}, "x" * 100),
    ],
)
def test_a_client_is_named_in_a_line(info: dict[str, Any] | None, said: str) -> None:
    assert Peer(LATEST, info=info).client == said
