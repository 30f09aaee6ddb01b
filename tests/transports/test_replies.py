from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator

import pytest

from mcp_transport.transports.replies import (
    COMPRESS_OVER_BYTES,
    EventStream,
    json_reply,
    nothing,
    refusal,
)

PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
JSON = {"Content-Type": "application/json", **PRIVATE}
GZIP = {"accept-encoding": "gzip"}


@pytest.mark.parametrize("size", [0, COMPRESS_OVER_BYTES])
def test_short_json_goes_as_it_is(size: int) -> None:
    body = b"x" * size
    reply = json_reply(body, GZIP, 418)
    assert (reply.status_code, reply.content, dict(reply.items())) == (418, body, JSON)


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("gzip ; q = 0.1", True),
        ("*", True),
        ("*;q=0, gzip", True),
        ("gzip;q=0.001", True),
        ("", False),
        ("identity", False),
        ("xgzip", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        (",;,", False),
    ],
)
def test_long_json_is_compressed_for_those_who_accept_it(
    accepted: str, packed: bool
) -> None:
    body = b"x" * (COMPRESS_OVER_BYTES + 1)
    reply = json_reply(body, {"accept-encoding": accepted})
    encoding = {"Content-Encoding": "gzip"} if packed else {}
    assert dict(reply.items()) == {**JSON, "Vary": "Accept-Encoding", **encoding}
    content = gzip.decompress(reply.content) if packed else reply.content
    assert content == body
    assert (len(reply.content) < 100) == packed


def test_what_is_compressed_tells_no_time() -> None:
    body = b"x" * 2000
    assert json_reply(body, GZIP).content[4:8] == bytes(4)


def test_a_client_that_says_nothing_gets_plain_json() -> None:
    assert json_reply(b"x" * 2000, {}).content == b"x" * 2000


def test_a_reply_of_nothing_has_no_type() -> None:
    assert dict(nothing(202).items()) == PRIVATE
    reply = nothing(204, {"Allow": "POST"})
    assert (reply.status_code, reply.content) == (204, b"")
    assert dict(reply.items()) == {**PRIVATE, "Allow": "POST"}


def test_a_refusal_is_an_error_without_an_id() -> None:
    reply = refusal(405, "not so", {"Allow": "POST"})
    assert reply.status_code == 405
    assert dict(reply.items()) == {**JSON, "Allow": "POST"}
    assert json.loads(reply.content) == {
        "jsonrpc": "2.0",
        "error": {"code": -32600, "message": "not so"},
    }


async def test_a_stream_is_neither_kept_nor_changed_on_its_way() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"
        yield b"data: 2\n\n"

    reply = EventStream(pieces(), "streamable-http", None)
    assert dict(reply.items()) == {
        "Content-Type": "text/event-stream",
        "Cache-Control": "no-store, no-transform",
        "X-Accel-Buffering": "no",
        "Content-Encoding": "identity",
    }
    assert [piece async for piece in reply] == [b"data: 1\n\n", b"data: 2\n\n"]


async def never() -> AsyncIterator[bytes]:
    yield b"unread"


def test_what_is_to_be_done_at_the_end_is_done_once() -> None:
    done: list[str] = []
    reply = EventStream(never(), "streamable-http", None)
    reply.closing.then(lambda: done.append("one"))
    reply.closing.then(lambda: done.append("two"))
    assert done == []
    reply.close()
    del reply
    assert done == ["one", "two"]


def test_a_stream_that_is_dropped_unsent_has_ended() -> None:
    done: list[str] = []
    reply = EventStream(never(), "streamable-http", None)
    reply.closing.then(lambda: done.append("left"))
    del reply
    assert done == ["left"]


def test_a_loop_that_was_closed_holds_up_nothing() -> None:
    done: list[str] = []
    loop = asyncio.new_event_loop()
    loop.close()
    reply = EventStream(never(), "streamable-http", None)
    reply.closing.then(lambda: loop.call_soon_threadsafe(done.append, "never"))
    reply.closing.then(lambda: done.append("left"))
    reply.close()
    assert done == ["left"]
