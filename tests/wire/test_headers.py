"""The headers of a stateless request, held against its body.

Spec: 2026-07-28 basic/transports/streamable-http #required-headers,
#custom-headers, #value-encoding.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from tests.wire.client import LEGACY, MODERN, Headers
from tests.wire.conftest import Opened

MISMATCH = -32020


def sentinel(text: str | bytes) -> str:
    data = text if isinstance(text, bytes) else text.encode()
    return f"=?base64?{b64encode(data).decode()}?="


async def status_and_code(
    opened: Opened, method: str, params: dict[str, Any], headers: Headers
) -> tuple[int, int | None]:
    async with opened(MODERN) as client:
        message = client.message(method, params)
        response = await client.send(message, headers=headers)
    answer = response.json()
    assert answer["id"] == message["id"]
    client.hear(answer)
    return response.status_code, answer.get("error", {}).get("code")


@pytest.mark.parametrize(
    "value",
    [
        None,
        "tools/List",
        "TOOLS/LIST",
        "tools/call",
        "",
        ("tools/list", "tools/list"),
        "tools/list,tools/list",
        "tools/list, ",
        sentinel("tools/list"),
        b"tools/li\xe9t",
    ],
)
async def test_a_method_header_must_equal_the_method(
    opened: Opened, value: str | bytes | None
) -> None:
    headers: Headers = {"Mcp-Method": value}
    assert await status_and_code(opened, "tools/list", {}, headers) == (400, MISMATCH)


@pytest.mark.parametrize("value", [None, "", (MODERN, MODERN), MODERN + ","])
async def test_a_version_header_must_equal_the_claim(
    opened: Opened, value: str | None
) -> None:
    headers: Headers = {"MCP-Protocol-Version": value}
    assert await status_and_code(opened, "tools/list", {}, headers) == (400, MISMATCH)


@pytest.mark.parametrize("name", ["mcp-method", "MCP-METHOD", "mCp-MeThOd"])
async def test_the_case_of_a_headers_name_says_nothing(
    opened: Opened, name: str
) -> None:
    headers: Headers = {"Mcp-Method": None, name: "tools/list"}
    assert await status_and_code(opened, "tools/list", {}, headers) == (200, None)


CALL = {"name": "echo", "arguments": {"text": "x"}}


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "Echo",
        "place",
        ("echo", "echo"),
        ("echo", "place"),
        "echo?=",
        "=?base64?echo?=",
        "=?base64?ZWNobw?=",
        "=?base64?ZWNobw==",
        "=?base64?ZW Nobw==?=",
        "=?base64?ZWNobw==?= ",
        "=?Base64?ZWNobw==?=",
        "=?BASE64?ZWNobw==?=",
        "=?base64??=",
        "=?base64?=",
        sentinel("Echo"),
        sentinel(b"\xff\xfe"),
        sentinel(sentinel("echo")),
        b"ech\xf6",
        "ech\u00f6".encode(),
    ],
)
async def test_a_name_header_must_equal_the_name(
    opened: Opened, value: str | bytes | None
) -> None:
    headers: Headers = {"Mcp-Name": value}
    assert await status_and_code(opened, "tools/call", CALL, headers) == (400, MISMATCH)


async def test_a_name_may_be_sent_in_base64(opened: Opened) -> None:
    headers: Headers = {"Mcp-Name": sentinel("echo")}
    assert await status_and_code(opened, "tools/call", CALL, headers) == (200, None)


@pytest.mark.parametrize(
    "uri", ["page://\u00e9/1", "page://\u4e2d/1", "page:// /1", "doc://one"]
)
async def test_an_address_beyond_ascii_goes_in_base64(opened: Opened, uri: str) -> None:
    params = {"uri": uri}
    headers: Headers = {"Mcp-Name": sentinel(uri)}
    status, code = await status_and_code(opened, "resources/read", params, headers)
    assert (status, code) in ((200, None), (200, -32602))


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
async def test_an_address_beyond_ascii_must_not_go_as_it_is(
    opened: Opened, encoding: str
) -> None:
    uri = "page://\u00e9/1"
    headers: Headers = {"Mcp-Name": uri.encode(encoding)}
    answer = await status_and_code(opened, "resources/read", {"uri": uri}, headers)
    assert answer == (400, MISMATCH)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("prompts/get", {"name": "greet", "arguments": {"name": "a"}}),
        ("resources/read", {"uri": "doc://one"}),
    ],
)
async def test_what_else_has_a_name(
    opened: Opened, method: str, params: dict[str, Any]
) -> None:
    assert await status_and_code(opened, method, params, {}) == (200, None)
    other: Headers = {"Mcp-Name": "other"}
    assert await status_and_code(opened, method, params, other) == (400, MISMATCH)


async def test_a_name_that_a_method_has_not_is_ignored(opened: Opened) -> None:
    headers: Headers = {"Mcp-Name": "whatever"}
    assert await status_and_code(opened, "tools/list", {}, headers) == (200, None)


REGION = {"region": "eu"}
EU: Headers = {"Mcp-Param-Region": "eu"}

# The arguments, the headers, and whether they say the same.
PARAMS: list[tuple[dict[str, Any], Headers, bool]] = [
    (REGION, EU, True),
    (REGION, {"mcp-param-REGION": "eu"}, True),
    (REGION, {"Mcp-Param-Region": sentinel("eu")}, True),
    (REGION, {"Mcp-Param-Region": "EU"}, False),
    (REGION, {"Mcp-Param-Region": ""}, False),
    (REGION, {}, False),
    (REGION, {"Mcp-Param-Region": ("eu", "eu")}, False),
    (REGION, {"Mcp-Param-Region": "=?base64?!!?="}, False),
    (REGION, {"Mcp-Param-Region": b"e\xfc"}, False),
    ({"region": "e\u00fc"}, {"Mcp-Param-Region": b"e\xfc"}, False),
    ({"region": "e\u00fc"}, {"Mcp-Param-Region": sentinel("e\u00fc")}, True),
    ({"region": " eu"}, {"Mcp-Param-Region": sentinel(" eu")}, True),
    ({"region": "=?base64?x?="}, {"Mcp-Param-Region": "=?base64?x?="}, False),
    ({"region": sentinel("x")}, {"Mcp-Param-Region": sentinel(sentinel("x"))}, True),
    ({}, EU, False),
    ({"region": None}, EU, False),
    (REGION, {**EU, "Mcp-Param-Number": "1"}, False),
    ({**REGION, "number": None}, EU, True),
    ({**REGION, "number": None}, {**EU, "Mcp-Param-Number": "1"}, False),
    ({**REGION, "number": 1}, EU, False),
    ({**REGION, "number": 1}, {**EU, "Mcp-Param-Number": "1"}, True),
    ({**REGION, "number": 1}, {**EU, "Mcp-Param-Number": "01"}, True),
    ({**REGION, "number": -7}, {**EU, "Mcp-Param-Number": "-7"}, True),
    ({**REGION, "number": 1}, {**EU, "Mcp-Param-Number": "2"}, False),
    ({**REGION, "number": 1}, {**EU, "Mcp-Param-Number": "1.0"}, False),
    ({**REGION, "number": 1}, {**EU, "Mcp-Param-Number": "+1"}, False),
    ({**REGION, "number": 1}, {**EU, "Mcp-Param-Number": "--1"}, False),
    ({**REGION, "number": 1}, {**EU, "Mcp-Param-Number": "true"}, False),
    ({**REGION, "number": 1}, {**EU, "Mcp-Param-Number": sentinel("1")}, True),
    ({**REGION, "number": 2}, {**EU, "Mcp-Param-Number": sentinel("\u00b2")}, False),
    ({**REGION, "number": 2}, {**EU, "Mcp-Param-Number": sentinel("\u0662")}, False),
    ({**REGION, "number": 1}, {**EU, "Mcp-Param-Number": "1" * 5000}, False),
    ({**REGION, "number": 1}, {**EU, "Mcp-Param-Number": ""}, False),
    ({**REGION, "fast": True}, {**EU, "Mcp-Param-Fast": "true"}, True),
    ({**REGION, "fast": False}, {**EU, "Mcp-Param-Fast": "false"}, True),
    ({**REGION, "fast": True}, {**EU, "Mcp-Param-Fast": "True"}, False),
    ({**REGION, "fast": True}, {**EU, "Mcp-Param-Fast": "1"}, False),
    ({**REGION, "fast": False}, EU, False),
    ({**REGION, "fast": ["true"]}, {**EU, "Mcp-Param-Fast": "true"}, False),
    ({**REGION, "number": {"a": 1}}, {**EU, "Mcp-Param-Number": "1"}, False),
]


@pytest.mark.parametrize(("arguments", "headers", "same"), PARAMS)
async def test_a_param_header_must_repeat_its_argument(
    opened: Opened, arguments: dict[str, Any], headers: Headers, same: bool
) -> None:
    params = {"name": "route", "arguments": arguments}
    answer = await status_and_code(opened, "tools/call", params, headers)
    assert answer == ((200, None) if same else (400, MISMATCH))


@pytest.mark.parametrize("revision", LEGACY)
async def test_a_session_repeats_nothing_in_headers(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        params = {"name": "route", "arguments": {"region": "eu", "number": 3}}
        wrong: Headers = {
            "Mcp-Method": "x",
            "Mcp-Name": "y",
            "Mcp-Param-Region": "z",
        }
        for headers in ({}, wrong):
            message = client.message("tools/call", params)
            response = await client.send(message, headers=headers)
            result = response.json()["result"]
            assert result["content"][0]["text"] == "eu 3 None"
