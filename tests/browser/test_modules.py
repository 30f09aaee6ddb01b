"""The parts of the client that need no server, in the browser that runs them."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.browser.conftest import Visitor

MODULES = "/static/mcp_transport/client"


async def parsed(visitor: Visitor, *chunks: bytes) -> Any:
    """Feed chunks to the parser; give its events, last id and retry."""
    return await visitor.js(
        """
        const [modules, chunks] = args;
        const { EventParser } = await import(`${modules}/events.js`);
        const parser = new EventParser();
        const bytes = (text) => Uint8Array.from(atob(text), (it) => it.codePointAt(0));
        const events = chunks.flatMap((chunk) => parser.feed(bytes(chunk)));
        return {
          events: events.map(({ type, data, id }) => [type, data, id]),
          lastEventId: parser.lastEventId,
          retryMs: parser.retryMs ?? null,
        };
        """,
        MODULES,
        [base64.b64encode(chunk).decode() for chunk in chunks],
    )


STREAM = (
    b"\xef\xbb\xbf:hello\n\n"
    b"id: a.1\nretry: 250\ndata:\n\n"
    b"event: endpoint\r\ndata: /message?x=1\r\n\r\n"
    b"id:a.2\rdata: one\rdata:  two\rdata\r\r"
    b"retry: soon\nid: bad\x00id\nunknown: field\ndata: \xc3\xa9\xe2\x80\xa8x\n\n"
    b"id: a.3\n\n"
    b"id: a.4\ndata: never ended"
)
EVENTS = [
    ["message", "", "a.1"],
    ["endpoint", "/message?x=1", "a.1"],
    ["message", "one\n two\n", "a.2"],
    ["message", "é\u2028x", "a.2"],
]


async def test_events_are_read_as_the_standard_says(visitor: Visitor) -> None:
    assert await parsed(visitor, STREAM) == {
        "events": EVENTS,
        "lastEventId": "a.3",
        "retryMs": 250,
    }


async def test_they_are_the_same_wherever_the_stream_is_cut(visitor: Visitor) -> None:
    whole = await parsed(visitor, STREAM)
    single = [STREAM[at : at + 1] for at in range(len(STREAM))]
    assert await parsed(visitor, *single) == whole
    for cut in range(1, len(STREAM)):
        assert await parsed(visitor, STREAM[:cut], STREAM[cut:]) == whole


async def test_delays_grow_to_a_bound_with_full_jitter(visitor: Visitor) -> None:
    delays = await visitor.js(
        """
        const { Backoff } = await import(`${args[0]}/backoff.js`);
        const options = { firstMs: 100, mostMs: 1000, attempts: 3 };
        const of = (random) => new Backoff(options, () => random);
        return {
          longest: [0, 1, 2, 3, 4, 50].map((failed) => of(1).delayMs(failed)),
          shortest: of(0).delayMs(4),
          asked: of(0.5).delayMs(0, 2000),
          spent: [2, 3].map((failed) => of(0).isSpent(failed)),
        };
        """,
        MODULES,
    )
    assert delays == {
        "longest": [100, 200, 400, 800, 1000, 1000],
        "shortest": 0,
        "asked": 2050,
        "spent": [False, True],
    }


@pytest.mark.parametrize(
    ("value", "wait_ms"),
    [
        ("2", 2000),
        ("0", 0),
        ("Thu, 01 Jan 1970 00:00:05 GMT", 4000),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("soon", None),
        ("-1", None),
        (None, None),
    ],
)
async def test_retry_after_is_seconds_or_a_date(
    visitor: Visitor, value: str | None, wait_ms: int | None
) -> None:
    program = """
        const { waitMs } = await import(`${args[0]}/http.js`);
        return waitMs(args[1], 1000) ?? null;
    """
    assert await visitor.js(program, MODULES, value) == wait_ms


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("plain text", "plain text"),
        ("", ""),
        (" edge", "=?base64?IGVkZ2U=?="),
        ("edge ", "=?base64?ZWRnZSA=?="),
        ("a\nb", "=?base64?YQpi?="),
        ("Zürich", "=?base64?WsO8cmljaA==?="),
        ("=?base64?x?=", "=?base64?PT9iYXNlNjQ/eD89?="),
    ],
)
async def test_values_are_written_as_headers_can_hold_them(
    visitor: Visitor, value: str, encoded: str
) -> None:
    program = """
        const { encodeValue } = await import(`${args[0]}/headers.js`);
        return encodeValue(args[1]);
    """
    assert await visitor.js(program, MODULES, value) == encoded


def region(**more: Any) -> dict[str, Any]:
    return {"type": "string", "x-mcp-header": "Region", **more}


async def headers_of(visitor: Visitor, properties: Any, arguments: Any) -> Any:
    return await visitor.js(
        """
        const [modules, schema, given] = args;
        const { headersOfCall, paramHeaders } = await import(`${modules}/headers.js`);
        try {
          return headersOfCall(paramHeaders(schema), given);
        } catch (error) {
          return error.message;
        }
        """,
        MODULES,
        {"type": "object", "properties": properties},
        arguments,
    )


async def test_marked_arguments_are_repeated(visitor: Visitor) -> None:
    properties = {
        "place": {"type": "object", "properties": {"region": region()}},
        "level": {"type": "integer", "x-mcp-header": "Level"},
        "urgent": {"type": "boolean", "x-mcp-header": "Urgent"},
        "none": {"type": "string", "x-mcp-header": "None"},
        # A name and data, no keywords.
        "x-mcp-header": {"type": "string", "default": {"x-mcp-header": "!"}},
    }
    given = {
        "place": {"region": "north"},
        "level": 3,
        "urgent": False,
        "none": None,
        "x-mcp-header": "a name",
    }
    assert await headers_of(visitor, properties, given) == {
        "Mcp-Param-Region": "north",
        "Mcp-Param-Level": "3",
        "Mcp-Param-Urgent": "false",
    }


@pytest.mark.parametrize(
    ("properties", "why"),
    [
        ({"a": region(type="number")}, "fits no header"),
        ({"a": region(**{"x-mcp-header": ""})}, "no valid name"),
        ({"a": region(**{"x-mcp-header": "a b"})}, "no valid name"),
        ({"a": region(), "b": region(**{"x-mcp-header": "REGION"})}, "share one"),
        ({"a": {"type": "array", "items": region()}}, "for no argument"),
        ({"a": {"anyOf": [region()]}}, "for no argument"),
    ],
)
async def test_a_tool_that_marks_wrongly_is_not_called(
    visitor: Visitor, properties: dict[str, Any], why: str
) -> None:
    assert why in await headers_of(visitor, properties, {})


@pytest.mark.parametrize(
    ("error", "idempotent", "after_ms"),
    [
        ("new ConnectionLostError('', { mayHaveRun: true })", True, 0),
        ("new ConnectionLostError('', { mayHaveRun: true })", False, None),
        ("new ConnectionLostError('', { mayHaveRun: false })", False, 0),
        ("new HttpError(429, '', { retryAfterMs: 1000 })", False, 1000),
        ("new HttpError(503, '', { retryAfterMs: 1000 })", False, 1000),
        ("new HttpError(503, '')", False, None),
        ("new HttpError(502, '')", True, 0),
        ("new HttpError(502, '')", False, None),
        ("new HttpError(401, '')", True, None),
        ("new McpError(429, '', undefined, 1000)", False, 1000),
        ("new McpError(-32602, '')", True, None),
        ("new TimeoutError(1)", True, None),
        ("new ProtocolError('')", True, None),
    ],
)
async def test_only_what_does_no_harm_is_sent_again(
    visitor: Visitor, error: str, idempotent: bool, after_ms: int | None
) -> None:
    program = f"""
        const {{ mayAgainAfterMs }} = await import(`${{args[0]}}/retrying.js`);
        const {{
          ConnectionLostError, HttpError, McpError, ProtocolError, TimeoutError
        }} = mcp;
        return mayAgainAfterMs({error}, args[1]) ?? null;
    """
    assert await visitor.js(program, MODULES, idempotent) == after_ms
