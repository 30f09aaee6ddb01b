"""Which era a request speaks, row by row of the ladder.

Spec: 2026-07-28 basic/versioning, basic/transports/streamable-http.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.wire.client import ALL, LEGACY, META, MODERN
from tests.wire.conftest import Opened

UNKNOWN = "1999-01-01"
VERSION = "MCP-Protocol-Version"
CLAIM = {META + "protocolVersion": MODERN, META + "clientCapabilities": {}}
PARSE, INVALID, NO_METHOD, BAD_PARAMS = -32700, -32600, -32601, -32602
MISMATCH, UNSUPPORTED = -32020, -32022


def request(method: str = "tools/list", **params: Any) -> dict[str, Any]:
    message = {"jsonrpc": "2.0", "id": "r", "method": method}
    return {**message, "params": params} if params else message


HANDSHAKE = request(
    "initialize",
    protocolVersion="2025-11-25",
    capabilities={},
    clientInfo={"name": "c", "version": "1"},
)
NOTIFICATION = {"jsonrpc": "2.0", "method": "notifications/initialized"}
RESPONSE = {"jsonrpc": "2.0", "id": "ask-1", "result": {}}
NEWER = {**CLAIM, META + "protocolVersion": UNKNOWN}
LEGACY_CLAIM = {**CLAIM, META + "protocolVersion": "2025-11-25"}
LIST = {"Mcp-Method": "tools/list"}

# What is sent without a session: body, headers, status, code, id. A code of
# None with 200 is a result, with 202 nothing at all.
SENT: list[tuple[str, Any, dict[str, str], int, int | None, str | None]] = [
    ("row 3: not JSON", b"{", {}, 400, PARSE, None),
    ("row 3: nothing", b"", {}, 400, PARSE, None),
    ("row 3: a number", b"7", {}, 400, INVALID, None),
    ("row 3: no envelope", {"id": "r", "method": "ping"}, {}, 400, INVALID, "r"),
    ("row 4: an empty batch", [], {}, 400, INVALID, None),
    (
        "row 4: a claim in a batch",
        [request(_meta=CLAIM)],
        {VERSION: MODERN},
        400,
        INVALID,
        None,
    ),
    ("row 4: a batch, modern", [NOTIFICATION], {VERSION: MODERN}, 400, -32600, None),
    ("row 4: a batch, unknown", [request()], {VERSION: UNKNOWN}, 400, -32022, None),
    ("row 5: a response without a session", RESPONSE, {}, 400, INVALID, None),
    ("row 5: a response, modern", RESPONSE, {VERSION: MODERN}, 400, INVALID, None),
    ("row 5: a response, unknown", RESPONSE, {VERSION: UNKNOWN}, 400, -32022, None),
    ("row 6: a handshake", HANDSHAKE, {}, 200, None, "r"),
    ("row 6: legacy header", HANDSHAKE, {VERSION: "2025-06-18"}, 200, None, "r"),
    ("row 6: modern header", HANDSHAKE, {VERSION: MODERN}, 400, MISMATCH, "r"),
    ("row 6: unknown header", HANDSHAKE, {VERSION: UNKNOWN}, 400, UNSUPPORTED, "r"),
    ("row 7: no header", request(_meta=CLAIM), LIST, 400, MISMATCH, "r"),
    (
        "row 7: a header that differs",
        request(_meta=CLAIM),
        {VERSION: "2025-11-25", **LIST},
        400,
        MISMATCH,
        "r",
    ),
    (
        "row 7: a handshake is an unknown method",
        request("initialize", _meta=CLAIM),
        {VERSION: MODERN, "Mcp-Method": "initialize"},
        404,
        NO_METHOD,
        "r",
    ),
    (
        "row 7: unknown and different is a mismatch",
        request(_meta=NEWER),
        {VERSION: MODERN, **LIST},
        400,
        MISMATCH,
        "r",
    ),
    (
        "row 7: unknown and equal",
        request(_meta=NEWER),
        {VERSION: UNKNOWN, **LIST},
        400,
        UNSUPPORTED,
        "r",
    ),
    (
        "row 7: a stateful revision has no claim",
        request(_meta=LEGACY_CLAIM),
        {VERSION: "2025-11-25", **LIST},
        400,
        UNSUPPORTED,
        "r",
    ),
    (
        "row 7: no capabilities",
        request(_meta={META + "protocolVersion": MODERN}),
        {VERSION: MODERN, **LIST},
        400,
        BAD_PARAMS,
        "r",
    ),
    (
        "row 7: a version that is no string",
        request(_meta={**CLAIM, META + "protocolVersion": 7}),
        {VERSION: MODERN, **LIST},
        400,
        BAD_PARAMS,
        "r",
    ),
    (
        "row 7: capabilities that are no object",
        request(_meta={**CLAIM, META + "clientCapabilities": []}),
        {VERSION: MODERN, **LIST},
        400,
        BAD_PARAMS,
        "r",
    ),
    ("row 7: served", request(_meta=CLAIM), {VERSION: MODERN, **LIST}, 200, None, "r"),
    ("row 8: no session", request(), {}, 400, INVALID, None),
    ("row 8: legacy header", request(), {VERSION: "2025-03-26"}, 400, INVALID, None),
    ("row 9: modern header", request(), {VERSION: MODERN, **LIST}, 400, -32602, "r"),
    ("row 9: empty _meta", request(_meta={}), {VERSION: MODERN}, 400, BAD_PARAMS, "r"),
    ("row 9: _meta is a list", request(_meta=[]), {VERSION: MODERN}, 400, -32602, "r"),
    ("row 10: unknown header", request(), {VERSION: UNKNOWN}, 400, UNSUPPORTED, "r"),
    (
        "row 10: two headers",
        request(),
        {VERSION: f"{MODERN},{MODERN}"},
        400,
        -32022,
        "r",
    ),
    ("row 11: modern", NOTIFICATION, {VERSION: MODERN}, 202, None, None),
    ("row 11: legacy, no session", NOTIFICATION, {}, 400, INVALID, None),
    ("row 11: unknown", NOTIFICATION, {VERSION: UNKNOWN}, 400, UNSUPPORTED, None),
    (
        "row 11: a claim",
        {**NOTIFICATION, "params": {"_meta": CLAIM}},
        {VERSION: MODERN},
        202,
        None,
        None,
    ),
]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code", "id"),
    [row[1:] for row in SENT],
    ids=[row[0] for row in SENT],
)
async def test_the_ladder(
    opened: Opened,
    body: Any,
    headers: dict[str, str],
    status: int,
    code: int | None,
    id: str | None,
) -> None:
    async with opened(MODERN) as client:
        plain: dict[str, str | None] = {VERSION: None, "Mcp-Method": None}
        response = await client.send(body, headers={**plain, **headers})
    assert response.status_code == status, response.text
    assert response.headers["cache-control"] == "no-store"
    if status == 202:
        assert response.content == b""
        return
    answer = response.json()
    assert answer.get("id") == id
    assert ("id" in answer) == (id is not None)
    assert (code is None) == ("result" in answer)
    if code is not None:
        assert answer["error"]["code"] == code


async def test_an_unsupported_version_names_those_that_are(opened: Opened) -> None:
    async with opened(MODERN) as client:
        claimed = await client.send(
            client.message("tools/list", {"_meta": NEWER}),
            headers={VERSION: UNKNOWN},
        )
        bare = await client.send(
            request(), headers={VERSION: UNKNOWN, "Mcp-Method": None}
        )
    assert claimed.json()["error"]["data"] == {
        "supported": [MODERN],
        "requested": UNKNOWN,
    }
    assert bare.json()["error"]["data"] == {
        "supported": list(ALL),
        "requested": UNKNOWN,
    }


@pytest.mark.parametrize("asked", [*LEGACY, MODERN, UNKNOWN])
async def test_a_handshake_settles_on_a_stateful_revision(
    opened: Opened, asked: str
) -> None:
    async with opened(MODERN) as client:
        params = {**HANDSHAKE["params"], "protocolVersion": asked}
        response = await client.send(
            {**HANDSHAKE, "params": params},
            headers={VERSION: None, "Mcp-Method": None},
        )
    assert response.status_code == 200
    settled = response.json()["result"]["protocolVersion"]
    assert settled == (asked if asked in LEGACY else "2025-11-25")
    assert response.headers["mcp-session-id"].isascii()


@pytest.mark.parametrize("revision", LEGACY)
@pytest.mark.parametrize("version", [None, *LEGACY])
async def test_a_session_is_served_under_any_stateful_header(
    opened: Opened, revision: str, version: str | None
) -> None:
    async with opened(revision) as client:
        response = await client.send(client.message("ping"), headers={VERSION: version})
    assert (response.status_code, response.json()["result"]) == (200, {})


@pytest.mark.parametrize("revision", LEGACY)
@pytest.mark.parametrize("verb", ["POST", "GET", "DELETE"])
@pytest.mark.parametrize("version", [UNKNOWN, "", "2025-11-25,2025-11-25"])
async def test_a_session_is_refused_under_an_unknown_version(
    opened: Opened, revision: str, verb: str, version: str
) -> None:
    """Spec: 2025-06-18 basic/transports #protocol-version-header: MUST be 400."""
    async with opened(revision) as client:
        message = client.message("ping") if verb == "POST" else None
        response = await client.send(message, verb=verb, headers={VERSION: version})
        assert response.status_code == 400
        assert response.json()["error"]["code"] == UNSUPPORTED
        assert (await client.request("ping"))["result"] == {}


@pytest.mark.parametrize("verb", ["GET", "DELETE"])
async def test_a_session_has_no_streams_under_a_stateless_version(
    opened: Opened, verb: str
) -> None:
    async with opened("2025-11-25") as client:
        response = await client.send(None, verb=verb, headers={VERSION: MODERN})
        assert response.status_code == 405
        assert response.headers["allow"] == "POST, OPTIONS"
        assert (await client.request("ping"))["result"] == {}


@pytest.mark.parametrize(
    "method",
    [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "no/such",
    ],
)
async def test_what_the_stateless_revision_dropped_is_unknown_to_it(
    opened: Opened, method: str
) -> None:
    async with opened(MODERN) as client:
        response = await client.send(client.message(method, {"uri": "doc://one"}))
    assert response.status_code == 404
    assert response.json()["error"]["code"] == NO_METHOD


@pytest.mark.parametrize("revision", LEGACY)
@pytest.mark.parametrize(
    "method", ["server/discover", "subscriptions/listen", "no/such"]
)
async def test_what_a_session_does_not_know_is_a_reply_of_200(
    opened: Opened, revision: str, method: str
) -> None:
    async with opened(revision) as client:
        message = client.message(method)
        response = await client.send(message)
    assert response.status_code == 200
    answer = json.loads(response.content)
    assert (answer["id"], answer["error"]["code"]) == (message["id"], NO_METHOD)


@pytest.mark.parametrize("version", ["2025-11-25", MODERN])
async def test_both_eras_are_served_side_by_side(opened: Opened, version: str) -> None:
    """A stateless request is nothing to a session, whose header it ignores."""
    async with opened("2025-11-25") as old, opened(MODERN) as new:
        headers = {"Mcp-Session-Id": old.session, "Last-Event-ID": "x"}
        response = await new.send(new.message("server/discover"), headers=headers)
        assert response.status_code == 200
        assert (await old.request("ping"))["result"] == {}
