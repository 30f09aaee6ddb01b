"""What no client should send, byte by byte, to stock daphne under each mount.

For each input the table says which status answers it, and which JSON-RPC code.
An input of which daphne itself thinks ill gets no code, and one that it will
not even answer no status. RFC 9112 sections 3 to 7.
"""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Served, daphne
from tests.wire.raw_socket import (
    CALL,
    GOOD,
    MODERN,
    Answer,
    Sent,
    chunked,
    connected,
    exchange,
    read,
    request,
)
from tests.wire.served.database import environ, prepare

MIB = 1024 * 1024
PARSE, INVALID, BAD_PARAMS, MISMATCH = -32700, -32600, -32602, -32020
NO_LENGTH = ("Content-Length",)
IN_CHUNKS = (b"Transfer-Encoding: chunked",)
FRAMES = b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD)
FORM = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n'
FORM_TYPE = (b"Content-Type: multipart/form-data; boundary=x",)

Row = tuple[str, Sent, int | None, int | None]


def start(line: str | bytes, body: bytes = GOOD) -> Sent:
    return Sent(body, start=line.encode() if isinstance(line, str) else line)


def line(*lines: bytes) -> Sent:
    return Sent(lines=lines)


def instead(name: str, *values: bytes) -> Sent:
    """Give a header another value, or several lines of it."""
    given = tuple(b"%b: %b" % (name.encode(), value) for value in values)
    return Sent(without=(name,), lines=given)


def framed(encoding: bytes, body: bytes = FRAMES) -> Sent:
    return Sent(body, NO_LENGTH, (b"Transfer-Encoding: " + encoding,))


# Where a body ends. What could mean two things must mean nothing.
FRAMING: list[Row] = [
    ("length and chunks", Sent(FRAMES, lines=IN_CHUNKS), 400, None),
    ("the same length twice", line(b"Content-Length: %d" % len(GOOD)), 400, None),
    ("another length", line(b"Content-Length: 3"), 400, None),
    ("no length", Sent(b"", NO_LENGTH), 400, PARSE),
    ("a chunk of each byte", Sent(chunked(GOOD, 1), NO_LENGTH, IN_CHUNKS), 200, None),
    ("CHUNKED", framed(b"CHUNKED"), 200, None),
    ("an extension of a chunk", framed(b"chunked", b"0;a=b\r\n\r\n"), 400, PARSE),
    ("a trailer", framed(b"chunked", FRAMES[:-2] + b"Mcp-Name: x\r\n\r\n"), 200, None),
    ("chunked twice", Sent(FRAMES, NO_LENGTH, IN_CHUNKS * 2), 400, None),
    ("a size that is none", framed(b"chunked", b"zz\r\n" + GOOD), 400, None),
    ("a negative size", framed(b"chunked", b"-5\r\n" + GOOD), 400, None),
    ("a size with a prefix", framed(b"chunked", b"0x5\r\n" + GOOD), 400, None),
    *[
        (f"length {value!r}", instead("Content-Length", value), 400, None)
        for value in (b"", b"-1", b"+5", b"0x10", b"1 2", b"1,1", b"1_0", b"\xb2")
    ],
    *[
        (f"coding {value!r}", framed(value), 400, None)
        for value in (
            b"xchunked",
            b"gzip",
            b"gzip, chunked",
            b"chunked, identity",
            b"chunked\x0b",
        )
    ],
    # For Twisted this says nothing, and so there is no body.
    ("coding identity", framed(b"identity"), 400, PARSE),
]

# Header lines.
LINES: list[Row] = [
    ("NUL in a value", line(b"X-A: a\0b"), 400, None),
    ("NUL in a name", line(b"X\0A: b"), 400, None),
    ("a bare CR", line(b"X-A: a\rb"), 400, None),
    ("a bare LF", line(b"X-A: a\nX-B: b"), 400, None),
    ("a space before the colon", line(b"X-A : b"), 400, None),
    ("no colon", line(b"X-A"), 400, None),
    ("no name", line(b": b"), 400, None),
    ("a name that is not ASCII", line(b"X\xff: b"), 400, None),
    ("a value that is not ASCII", line(b"X-A: \xff\xfe"), 200, None),
    ("a folded line", line(b"X-A: a", b" b"), 200, None),
    ("a folded method", instead("Mcp-Method", b"tools/\r\n call"), 400, MISMATCH),
    ("a folded first line", start("POST /mcp HTTP/1.1\r\n X: y"), 400, None),
    ("a long value", line(b"X-A: " + b"a" * 16_000), 200, None),
    ("a longer value", line(b"X-A: " + b"a" * 20_000), None, None),
    ("many headers", line(*[b"X-%d: a" % n for n in range(600)]), 400, None),
    ("expectations of its own", line(b"Expect: x"), 200, None),
    ("another protocol", line(b"Upgrade: h2c"), 200, None),
]

# Headers that must come once come joined by a comma, which none of them allows.
TWICE: list[Row] = [
    (f"{name} twice", instead(name, value, value), status, code)
    for name, value, status, code in (
        ("Mcp-Method", b"tools/call", 400, MISMATCH),
        ("Mcp-Name", b"echo", 400, MISMATCH),
        ("MCP-Protocol-Version", MODERN.encode(), 400, MISMATCH),
        ("Authorization", b"Bearer x", 400, INVALID),
        ("Content-Type", b"application/json", 415, INVALID),
        ("Host", b"127.0.0.1", 403, INVALID),
        ("Origin", b"http://127.0.0.1", 403, INVALID),
        ("Content-Encoding", b"identity", 415, INVALID),
        ("Accept", b"*/*", 200, None),
    )
]

VALUES: list[Row] = [
    ("no Host", Sent(without=("Host",)), 403, INVALID),
    ("no Host, 1.0", Sent(GOOD, ("Host",), (), b"POST /mcp HTTP/1.0"), 403, INVALID),
    ("an empty Host", instead("Host", b""), 403, INVALID),
    ("another's Host", instead("Host", b"evil.example"), 403, INVALID),
    ("a Host of a user", instead("Host", b"x@127.0.0.1"), 403, INVALID),
    ("a Host that is not ASCII", instead("Host", b"\xff\xfe"), 403, INVALID),
    ("another's Origin", instead("Origin", b"http://evil.example"), 403, INVALID),
    ("an Origin that is null", instead("Origin", b"null"), 403, INVALID),
    ("an Origin that is not ASCII", instead("Origin", b"\xff"), 403, INVALID),
    ("no token", Sent(without=("Authorization",)), 401, INVALID),
    ("another's token", instead("Authorization", b"Bearer x"), 401, INVALID),
    ("a token of no ASCII", instead("Authorization", b"Bearer \xff"), 400, INVALID),
    ("a long token", instead("Authorization", b"Bearer " + b"a" * 9000), 400, INVALID),
    ("no version", Sent(without=("MCP-Protocol-Version",)), 400, MISMATCH),
    ("a version of no ASCII", instead("MCP-Protocol-Version", b"\xff"), 400, MISMATCH),
    ("no method", Sent(without=("Mcp-Method",)), 400, MISMATCH),
    ("a name that is no base64", instead("Mcp-Name", b"=?base64?!?="), 400, MISMATCH),
    ("a name of no UTF-8", instead("Mcp-Name", b"=?base64?/w==?="), 400, MISMATCH),
    *[
        (f"type {value!r}", instead("Content-Type", value), 415, INVALID)
        for value in (
            b"",
            b"text/plain",
            b"application/jsonx",
            b"application/json-rpc",
            b"text/plain; application/json",
            b"application/x-www-form-urlencoded",
            b"\xff",
        )
    ],
    # Forms are read by Twisted before anybody asked: this is none.
    ("no form", instead("Content-Type", b"multipart/form-data; boundary=x"), 400, None),
    ("a form", Sent(FORM, ("Content-Type",), FORM_TYPE), 415, INVALID),
    ("no type", Sent(without=("Content-Type",)), 415, INVALID),
    (
        "a type with words",
        instead("Content-Type", b"application/json; \xff"),
        200,
        None,
    ),
    ("an event stream", instead("Accept", b"text/event-stream"), 406, INVALID),
    ("gzip", Sent(gzip.compress(GOOD), (), (b"Content-Encoding: gzip",)), 415, INVALID),
]

# Methods, paths and versions of HTTP.
STARTS: list[Row] = [
    *[
        (f"method {method}", start(f"{method} /mcp HTTP/1.1"), 405, INVALID)
        for method in ("TRACE", "CONNECT", "PUT", "PATCH", "FOO", "M" * 100)
    ],
    ("method HEAD", start("HEAD /mcp HTTP/1.1"), 405, None),
    ("method GET", start("GET /mcp HTTP/1.1"), 405, INVALID),
    ("method DELETE", start("DELETE /mcp HTTP/1.1"), 405, INVALID),
    ("method OPTIONS", start("OPTIONS /mcp HTTP/1.1"), 204, None),
    # Django has methods in upper case, however they came.
    ("method post", start("post /mcp HTTP/1.1"), 200, None),
    *[
        (f"start {said!r}", start(said), 400, None)
        for said in (
            b"PO\0ST /mcp HTTP/1.1",
            b"PO\xe9ST /mcp HTTP/1.1",
            b"POST /mcp\xe9 HTTP/1.1",
            b"POST /mcp?\xe9 HTTP/1.1",
            b"POST  /mcp HTTP/1.1",
            b"POST /mcp HTTP/1.1 x",
            b"POST /mcp HTTP/2.0",
            b"POST /mcp HTTP/9.9",
            b"POST /mcp",
            b"PRI * HTTP/2.0",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"\xff" * 100,
        )
    ],
    *[
        (f"path {path}", start(f"POST {path} HTTP/1.1"), 404, None)
        for path in (
            "/mcp%00",
            "/mcp%ff",
            "//mcp",
            "/x/../mcp",
            "/mcp/mcp",
            "*",
            "http://evil.example/mcp",
        )
    ],
    ("a path in percents", start("POST /%6dcp HTTP/1.1"), 200, None),
    ("a query", start("POST /mcp?name=x HTTP/1.1"), 200, None),
    ("HTTP/1.0", start("POST /mcp HTTP/1.0"), 200, None),
    ("a long path", start(f"POST /{'a' * 20_000} HTTP/1.1"), None, None),
]


def message(**members: Any) -> bytes:
    return json.dumps(request(**members)).encode()


def written(text: str, **members: Any) -> bytes:
    """Return a good call that has ``text`` as it is as one more parameter."""
    body = message(params={**CALL, "more": "HERE"}, **members)
    return body.replace(b'"HERE"', text.encode())


def nested(depth: int) -> bytes:
    """Return a good call of so many levels, of which two are the call's own."""
    return written("[" * (depth - 2) + "]" * (depth - 2))


def nodes(value: Any) -> int:
    if isinstance(value, list):
        return 1 + sum(nodes(item) for item in value)
    if isinstance(value, dict):
        return 1 + sum(nodes(item) for item in value.values())
    return 1


def crowded(count: int) -> bytes:
    """Return a good call of so many values."""
    own = nodes(request(params={**CALL, "more": []}))
    return message(params={**CALL, "more": [0] * (count - own)})


def padded(size: int) -> bytes:
    return GOOD + b" " * (size - len(GOOD))


BODIES: list[tuple[str, bytes, int, int | None]] = [
    ("nothing", b"", 400, PARSE),
    ("half", GOOD[:-1], 400, PARSE),
    ("two", GOOD + GOOD, 400, PARSE),
    ("NaN", written("NaN"), 400, PARSE),
    ("Infinity", written("-Infinity"), 400, PARSE),
    ("1e400", written("1e400"), 400, PARSE),
    ("-1e400", written("[-1e400]"), 400, PARSE),
    ("1e308", written("1e308"), 200, None),
    ("a repeated key", written('1,"more":2'), 400, PARSE),
    ("a repeated method", GOOD[:-1] + b',"method":"x"}', 400, PARSE),
    ("a repeated key, escaped", written('{"a":1,"\\u0061":2}'), 400, PARSE),
    ("a repeat behind a colon", written('{":":1,"\\u003a":2}'), 400, PARSE),
    ("half a surrogate pair", written('"\\ud800"'), 400, PARSE),
    ("the other half", written('"\\udc00"'), 400, PARSE),
    ("half a pair as a key", written('{"\\ud800":1}'), 400, PARSE),
    ("half a pair as UTF-8", GOOD.replace(b"good", b"\xed\xa0\x80"), 400, PARSE),
    ("a whole pair", written('"\\ud83d\\ude00"'), 200, None),
    ("no UTF-8", GOOD.replace(b"good", b"\xff"), 400, PARSE),
    ("overlong UTF-8", GOOD.replace(b"good", b"\xc0\xaf"), 400, PARSE),
    ("NUL", GOOD.replace(b"good", b"\0"), 400, PARSE),
    ("a line end in a text", GOOD.replace(b"good", b"\n"), 400, PARSE),
    ("UTF-16", GOOD.decode().encode("utf-16"), 400, PARSE),
    ("UTF-16, no mark", GOOD.decode().encode("utf-16-le"), 400, PARSE),
    ("UTF-32", GOOD.decode().encode("utf-32"), 400, PARSE),
    ("a mark", b"\xef\xbb\xbf" + GOOD, 400, PARSE),
    ("a comma too many", GOOD[:-1] + b",}", 400, PARSE),
    ("a comment", b"/**/" + GOOD, 400, PARSE),
    ("other quotes", b"{'jsonrpc':'2.0'}", 400, PARSE),
    ("gzip that nobody names", gzip.compress(GOOD), 400, PARSE),
    ("depth 64", nested(64), 200, None),
    ("depth 65", nested(65), 400, PARSE),
    ("depth 10,000", nested(10_000), 400, PARSE),
    ("a mebibyte of openings", b"[" * MIB, 400, PARSE),
    ("20,000 values", crowded(20_000), 200, None),
    ("20,001 values", crowded(20_001), 400, PARSE),
    ("4,300 digits", written("9" * 4300), 200, None),
    ("4,301 digits", written("9" * 4301), 400, PARSE),
    ("a million digits", written("9" * 10**6), 400, PARSE),
    ("a mebibyte", padded(MIB), 200, None),
    ("a mebibyte and a byte", padded(MIB + 1), 413, INVALID),
    ("three mebibytes", padded(3 * MIB), 413, INVALID),
    *[
        (f"id {text}", message(id=json.loads(text)), 400, INVALID)
        for text in ("true", "false", "null", "1.0", "1.5", "[]", "{}", "[1]")
    ],
    *[
        (f"body {text}", text.encode(), 400, INVALID)
        for text in ("null", "true", "7", '"x"', "{}", "[]", "[[]]", "[[[]],7]")
    ],
    ("a batch", b"[%b]" % GOOD, 400, INVALID),
    ("a batch in a batch", b"[[%b]]" % GOOD, 400, INVALID),
    ("JSON-RPC 1.0", message(jsonrpc="1.0"), 400, INVALID),
    ("JSON-RPC as a number", message(jsonrpc=2.0), 400, INVALID),
    ("a method that is a number", message(method=7), 400, INVALID),
    ("params that are a list", message(params=[CALL]), 400, INVALID),
    ("params that are null", message(params=None), 400, INVALID),
    ("a result as well", message(result={}), 400, INVALID),
    ("another method", message(method="tools/list"), 400, MISMATCH),
    ("a name that is none", message(params={**CALL, "name": 7}), 400, BAD_PARAMS),
    ("arguments in a list", message(params={**CALL, "arguments": []}), 200, BAD_PARAMS),
]

ROWS: list[Row] = [
    *FRAMING,
    *LINES,
    *TWICE,
    *VALUES,
    *STARTS,
    *[(f"{name} as it is", Sent(body), s, c) for name, body, s, c in BODIES],
    *[
        (f"{name} in chunks", Sent(chunked(body, 50_000), NO_LENGTH, IN_CHUNKS), s, c)
        for name, body, s, c in BODIES
    ],
]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    database = tmp_path_factory.mktemp("wire") / "db.sqlite3"
    return database, prepare(database)


@pytest.fixture(scope="module")
def token(prepared: tuple[Path, str]) -> str:
    return prepared[1]


@pytest.fixture(scope="module", params=["lean", "urls"])
def served(
    request: pytest.FixtureRequest, prepared: tuple[Path, str]
) -> Iterator[Served]:
    database = prepared[0]
    application = f"tests.wire.served.asgi:{request.param}"
    log = database.with_name(f"{request.param}.log")
    with daphne(application, log, environ=environ(database)) as server:
        yield server


def good_call(served: Served, token: str) -> None:
    """Assert that the process still does what it should, and had no accident."""
    answer = exchange(served.port, Sent().data(served.port, token))
    assert answer is not None
    assert answer.status == 200
    assert json.loads(answer.body)["result"]["content"][0]["text"] == "good"
    said = served.said()
    assert "Traceback" not in said
    assert "ERROR" not in said
    assert token not in said


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [pytest.param(*row, id=name) for name, *row in ROWS],
)
def test_bad_input_has_its_status_and_code(
    served: Served, token: str, sent: Sent, status: int | None, code: int | None
) -> None:
    answer = exchange(served.port, sent.data(served.port, token))
    if status is None:
        assert answer is None
    else:
        assert answer is not None
        assert (answer.status, answer.code) == (status, code)
    good_call(served, token)


def test_there_are_names_for_all_rows() -> None:
    assert len({name for name, *_ in ROWS}) == len(ROWS)


def test_a_body_may_wait_until_it_is_asked_for(served: Served, token: str) -> None:
    sent = Sent(lines=(b"Expect: 100-continue",))
    with connected(served.port) as connection:
        connection.sendall(sent.head(served.port, token))
        asked = connection.recv(1000)
        assert asked == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(sent.body)
        answer = read(connection)
    assert answer is not None
    assert (answer.status, answer.code) == (200, None)
    good_call(served, token)


@pytest.mark.parametrize(
    "sent",
    [
        Sent(GOOD[:-9], length=len(GOOD)),
        Sent(b"", length=len(GOOD)),
        Sent(GOOD, length=MIB),
        Sent(GOOD, length=10**15),
        Sent(FRAMES[:-9], NO_LENGTH, IN_CHUNKS),
        Sent(FRAMES[:-2], NO_LENGTH, IN_CHUNKS),
    ],
    ids=["short", "none", "a mebibyte", "petabytes", "half a chunk", "no end"],
)
def test_a_body_that_ends_early_is_no_call(
    served: Served, token: str, sent: Sent
) -> None:
    early = replace(sent, start=b"POST /mcp?early HTTP/1.1")
    with connected(served.port) as connection:
        connection.sendall(early.data(served.port, token))
        connection.shutdown(socket.SHUT_WR)
        assert read(connection) is None
    good_call(served, token)
    assert "?early" not in served.said()


def test_what_follows_a_refused_request_is_no_request(
    served: Served, token: str
) -> None:
    """A second call hides where the two readings of a request's end differ."""
    hidden = Sent().data(served.port, token)
    bodies = [
        Sent(b"0\r\n\r\n" + hidden, lines=IN_CHUNKS),
        Sent(hidden, lines=(b"Content-Length: 0",)),
        Sent(
            b"5\r\nhello\r\n0\r\n\r\n" + hidden, NO_LENGTH, (b"Transfer-Encoding: x",)
        ),
        Sent(hidden, NO_LENGTH, (b"Content-Length : 0",)),
    ]
    for sent in bodies:
        data = sent.data(served.port, token).replace(b"Connection: close\r\n", b"", 1)
        with connected(served.port) as connection:
            connection.sendall(data)
            said = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert said.count(b"HTTP/1.1 ") == 1
        assert said.startswith(b"HTTP/1.1 400 ")
    good_call(served, token)


def test_many_bad_requests_on_one_connection_leave_it_usable(
    served: Served, token: str
) -> None:
    with connected(served.port) as connection:
        for name, body, status, code in BODIES:
            sent = Sent(body, without=("Connection",))
            connection.sendall(sent.data(served.port, token))
            answer = read(connection)
            assert isinstance(answer, Answer), name
            assert (answer.status, answer.code) == (status, code), name
    good_call(served, token)
