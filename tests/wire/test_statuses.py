"""What HTTP itself says: methods, media types, sizes, paths, compression."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest

from mcp_transport.asgi import Application
from tests.schemas import official
from tests.wire.client import ALL, BOTH, LEGACY, MODERN, Headers
from tests.wire.conftest import BASE_URL, Opened
from tests.wire.doors import ASGIDoor

MIB = 1024 * 1024


def is_refusal(response: httpx.Response, status: int) -> bool:
    """Check the whole form of a refusal: status, headers, and an error without id."""
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    error = response.json()
    official(MODERN).check_error(error)
    assert "id" not in error
    return response.status_code == status


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("verb", ["PUT", "PATCH", "HEAD", "TRACE", "FOO"])
async def test_other_verbs_are_refused(
    opened: Opened, revision: str, verb: str
) -> None:
    async with opened(revision) as client:
        response = await client.send(client.message("tools/list"), verb=verb)
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST, DELETE, OPTIONS"


@pytest.mark.parametrize("verb", ["GET", "DELETE"])
async def test_without_a_session_there_is_nothing_to_get_or_delete(
    opened: Opened, verb: str
) -> None:
    async with opened(MODERN) as client:
        response = await client.send(None, verb=verb)
        bare = await client.send(
            None, verb=verb, headers={"MCP-Protocol-Version": None}
        )
    for refused in (response, bare):
        assert is_refusal(refused, 405)
        assert refused.headers["allow"] == "POST, OPTIONS"


async def test_options_says_which_verbs_there_are(opened: Opened) -> None:
    async with opened(MODERN) as client:
        response = await client.send(None, verb="OPTIONS")
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["allow"] == "GET, POST, DELETE, OPTIONS"


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("Content-Type", None, 415),
        ("Content-Type", "", 415),
        ("Content-Type", "text/plain", 415),
        ("Content-Type", "application/x-www-form-urlencoded", 415),
        ("Content-Type", "application/jsonx", 415),
        ("Content-Type", "application/json, text/plain", 415),
        ("Content-Type", "text/plain;application/json", 415),
        ("Content-Type", "application/json", 200),
        ("Content-Type", "APPLICATION/JSON", 200),
        ("Content-Type", "application/json; charset=utf-8", 200),
        ("Content-Encoding", "gzip", 415),
        ("Content-Encoding", "gzip, identity", 415),
        ("Content-Encoding", "identity", 200),
        ("Accept", "application/json", 406),
        ("Accept", "text/event-stream", 406),
        ("Accept", "text/html", 406),
        ("Accept", "", 406),
        ("Accept", BOTH, 200),
        ("Accept", "text/event-stream,application/json;q=0.5", 200),
        ("Accept", ("application/json", "text/event-stream"), 200),
        ("Accept", "*/*", 200),
        ("Accept", "application/*, text/*", 200),
        ("Accept", None, 200),
    ],
)
async def test_media_types(
    opened: Opened, revision: str, name: str, value: Any, status: int
) -> None:
    async with opened(revision) as client:
        message = client.message("tools/list")
        response = await client.send(message, headers={name: value})
    assert response.status_code == status
    if status != 200:
        assert is_refusal(response, status)


@pytest.mark.parametrize("revision", LEGACY)
@pytest.mark.parametrize(
    ("accept", "status"),
    [("application/json", 406), ("text/html", 406), ("text/event-stream", 200)],
)
async def test_the_stream_of_a_session_must_be_acceptable(
    opened: Opened, revision: str, accept: str, status: int
) -> None:
    headers: Headers = {"Accept": accept}
    async with (
        opened(revision) as client,
        client.open(None, verb="GET", headers=headers) as reply,
    ):
        assert reply.status == status


def padded(message: dict[str, Any], size: int) -> bytes:
    """Return a message that is so many bytes long."""
    data = json.dumps(message).encode()
    return data + b" " * (size - len(data))


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("conf", [{"MAX_BODY_BYTES": 2000}])
@pytest.mark.parametrize(("size", "status"), [(2000, 200), (2001, 413), (5000, 413)])
async def test_a_body_has_a_largest_size(
    opened: Opened, revision: str, size: int, status: int
) -> None:
    async with opened(revision) as client:
        message = client.message("tools/list")
        headers: Headers = {**client.headers(message)}
        response = await client.send(padded(message, size), headers=headers)
    assert response.status_code == status
    if status == 413:
        assert is_refusal(response, 413)


@pytest.mark.parametrize("size", [MIB + 1, 3 * MIB])
async def test_a_body_over_what_django_takes_is_too_large_as_well(
    opened: Opened, size: int
) -> None:
    async with opened(MODERN) as client:
        response = await client.send(b" " * size)
    assert is_refusal(response, 413)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b'"x"',
        b"null",
        b"true",
        b"[[]]",
        b'[{"jsonrpc":"2.0","method":"ping","id":1},[]]',
    ],
)
async def test_what_is_no_message_is_an_error_at_every_revision(
    opened: Opened, body: bytes
) -> None:
    for revision in ALL:
        async with opened(revision) as client:
            response = await client.send(body)
        if revision == "2025-03-26" and body.startswith(b"["):
            continue
        assert is_refusal(response, 400), revision


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(
    "id", ["s", "", "1", 0, -1, 2**53, "\u00e9\U0001f600", "a" * 999]
)
async def test_an_id_comes_back_as_it_was(
    opened: Opened, revision: str, id: str | int
) -> None:
    async with opened(revision) as client:
        for method in ("tools/list", "no/such"):
            message = client.message(method, id=id)
            answer = (await client.send(message)).json()
            assert answer["id"] == id
            assert type(answer["id"]) is type(id)


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("id", [True, False, None, 1.5, [], {}])
async def test_an_id_is_a_string_or_an_integer(
    opened: Opened, revision: str, id: Any
) -> None:
    async with opened(revision) as client:
        message = client.message("tools/list") | {"id": id}
        response = await client.send(message)
    assert is_refusal(response, 400)
    assert response.json()["error"]["code"] == -32600


@pytest.mark.parametrize("revision", ALL)
async def test_both_spellings_are_served_without_a_redirect(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        for path in ("/mcp", "/mcp/"):
            response = await client.send(client.message("tools/list"), path=path)
            assert (response.status_code, "result" in response.json()) == (200, True)
        for path in ("/mcp//", "/mcpx", "/x/mcp", "/MCP"):
            response = await client.send(client.message("tools/list"), path=path)
            assert response.status_code == 404


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("*;q=0, gzip", True),
        ("deflate, br", False),
        ("", False),
        (None, False),
    ],
)
async def test_long_json_is_compressed_for_those_who_accept_it(
    opened: Opened, revision: str, accepted: str | None, packed: bool
) -> None:
    async with opened(revision) as client:
        headers: Headers = {"Accept-Encoding": accepted}
        call = {"name": "echo", "arguments": {"text": "x", "times": 5000}}
        message = client.message("tools/call", call)
        async with client.open(message, headers=headers) as reply:
            raw = b"".join([piece async for piece in reply.response.aiter_raw()])
    encoding = reply.response.headers.get("content-encoding")
    assert encoding == ("gzip" if packed else None)
    assert reply.response.headers["vary"] == "Accept-Encoding"
    assert reply.response.headers["content-length"] == str(len(raw))
    assert reply.response.headers["content-type"] == "application/json"
    answer = json.loads(gzip.decompress(raw) if packed else raw)
    assert answer["result"]["content"][0]["text"] == "x" * 5000
    assert (len(raw) < 1000) == packed


@pytest.mark.parametrize("revision", ALL)
async def test_short_json_is_not_compressed(opened: Opened, revision: str) -> None:
    async with opened(revision) as client:
        response = await client.send(
            client.message("prompts/get", {"name": "nobody"}),
            headers={"Accept-Encoding": "gzip"},
        )
    assert "content-encoding" not in response.headers
    assert "vary" not in response.headers


@pytest.mark.parametrize("revision", ALL)
async def test_every_reply_is_for_nobody_else_to_keep(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        replies = [
            await client.send(client.message("tools/list")),
            await client.send(client.message("no/such")),
            await client.send(client.notification("notifications/cancelled")),
            await client.send(b"{"),
            await client.send(None, verb="OPTIONS"),
        ]
        call = {"name": "talk", "arguments": {}}
        async with client.open(client.message("tools/call", call)) as reply:
            assert reply.is_stream
            replies.append(reply.response)
    for response in replies:
        assert "no-store" in response.headers["cache-control"]
        assert "set-cookie" not in response.headers


async def test_a_scope_that_is_no_request_is_left_to_django(
    application: Application,
) -> None:
    door = ASGIDoor(application)
    async with httpx.AsyncClient(transport=door, base_url=BASE_URL) as http:
        assert (await http.get("/elsewhere")).status_code == 404
