"""T17: requests that no client should send, byte by byte. What could be read in two
ways is read in none, by the server alone and by nginx before it.

RFC 9112 sections 2 to 7.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from deploy.servers import Nginx, Served
from tests.faults.noted import Noted, noted
from tests.faults.raw_http import BARE, TOKEN, say
from tests.faults.verdict import require
from tests.serving import nginx
from tests.wire.raw_socket import GOOD, Sent

# A line of deploy/nginx-http.conf, and how our server answers what it does not hand
# to the application.
LOGGED = re.compile(r'"\S+ (?P<path>\S*) HTTP/[\d.]+" (?P<status>\d+) ')
REFUSALS = ("400", "501")


@dataclass(frozen=True)
class Size:
    """How often the whole list is sent."""

    times: int


SMALL = Size(times=1)
FULL = Size(times=10)

Statuses = tuple[int, ...]
HIDDEN = b"POST /hidden HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked"
FRAMES = b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD)
LAST = b"0\r\n\r\n"


@dataclass(frozen=True)
class Row:
    """``direct`` are the statuses of the server alone, ``proxied`` those through
    nginx, where they differ.
    """

    name: str
    sent: Sent
    direct: Statuses
    proxied: Statuses | None = None

    def data(self, port: int) -> bytes:
        return self.sent.data(port, TOKEN)

    def expected(self, through: bool) -> Statuses:
        return self.direct if self.proxied is None or not through else self.proxied


def framed(*lines: bytes, body: bytes = FRAMES) -> Sent:
    """Frame a body by these lines alone."""
    return Sent(body, ("Content-Length", "Connection"), lines)


def more(*lines: bytes) -> Sent:
    return Sent(without=("Connection",), lines=lines)


def instead(name: str, *values: bytes) -> Sent:
    """Give a header another value, or several lines of it."""
    given = tuple(b"%b: %b" % (name.encode(), value) for value in values)
    return Sent(without=(name, "Connection"), lines=given)


def start(line: bytes) -> Sent:
    return Sent(without=("Connection",), start=line)


BEHIND = Sent(GOOD + HIDDEN, ("Connection",), length=len(GOOD))
LENGTH = b"Content-Length: %d" % len(GOOD)

# Where a body ends, and what hides behind another reading of it.
FRAMING = [
    Row("length, then chunks", framed(LENGTH, CHUNKED, body=LAST + HIDDEN), (400,)),
    Row("chunks, then length", framed(CHUNKED, LENGTH, body=LAST + HIDDEN), (400,)),
    Row("a short length and chunks", framed(b"Content-Length: 5", CHUNKED), (400,)),
    Row("the same length twice", framed(LENGTH, LENGTH, body=GOOD), (400,)),
    Row("two lengths", framed(LENGTH, b"Content-Length: 0", body=GOOD), (400,)),
    Row("a list of lengths", framed(LENGTH + b", 5", body=GOOD), (400,)),
    Row("length +5", framed(b"Content-Length: +5", body=HIDDEN), (400,)),
    Row("length 0x5", framed(b"Content-Length: 0x5", body=HIDDEN), (400,)),
    Row("length -1", framed(b"Content-Length: -1", body=HIDDEN), (400,)),
    Row("no length", framed(body=b""), (400,)),
    Row("a space in front of the colon", framed(CHUNKED[:17] + b" : chunked"), (400,)),
    Row("xchunked", framed(b"Transfer-Encoding: xchunked"), (400,), (501,)),
    Row("gzip, chunked", framed(b"Transfer-Encoding: gzip, chunked"), (400,), (501,)),
    Row("chunked, identity", framed(CHUNKED + b", identity"), (400,), (501,)),
    Row("chunked twice", framed(CHUNKED, CHUNKED), (400,)),
    Row("chunked behind VT", framed(b"Transfer-Encoding: \x0bchunked"), (400,), (501,)),
    Row(
        "chunked on a folded line",
        framed(CHUNKED[:18] + b"\r\n chunked"),
        (200,),
        (400,),
    ),
    Row("a tab before chunked", framed(CHUNKED[:18] + b"\tchunked"), (200,), (501,)),
    Row("CHUNKED", framed(CHUNKED.upper()), (200,)),
    Row("a size that is none", framed(CHUNKED, body=b"zz\r\n" + HIDDEN), (400,)),
    Row("a negative size", framed(CHUNKED, body=b"-5\r\n" + HIDDEN), (400,)),
    Row("a size of 0x5", framed(CHUNKED, body=b"0x5\r\n" + HIDDEN), (400,)),
    Row(
        "a line of a chunk that ends in LF",
        framed(CHUNKED, body=b"5\nhello\r\n0\r\n\r\n"),
        (400,),
    ),
    Row("a chunk longer than its size", framed(CHUNKED, body=b"1\r\nab\r\n"), (400,)),
    Row(
        "a length in a trailer",
        framed(CHUNKED, body=FRAMES[:-2] + b"Content-Length: 3\r\n\r\n"),
        (200,),
    ),
    Row("a request behind another", BEHIND, (200, 404)),
]

# Header lines.
LINES = [
    Row("NUL in a value", more(b"X-A: a\0b"), (400,)),
    Row("NUL in a name", more(b"X\0A: b"), (400,)),
    Row("a bare CR", more(b"X-A: a\rb"), (400,)),
    Row("a space before the first name", more(b" X-A: b"), (400,)),
    Row("a space before a colon", more(b"X-A : b"), (400,)),
    Row("a folded line", more(b"X-A: a", b" b"), (200,), (400,)),
    Row("no colon", more(b"X-A"), (400,), (200,)),
    Row("no name", more(b": b"), (400,)),
    Row("a name that is not ASCII", more(b"X\xff: b"), (400,), (200,)),
    Row("a value that is not ASCII", more(b"X-A: \xff"), (200,)),
    Row("a line of 20 KB", more(b"X-A: " + b"a" * 20_000), (431,), (400,)),
    Row("700 lines", more(*[b"X-%d: a" % n for n in range(700)]), (400,)),
    Row("two methods of MCP", instead("Mcp-Method", *[b"tools/call"] * 2), (400,)),
    Row("two tokens", instead("Authorization", b"Bearer a", b"Bearer b"), (400,)),
    Row("a path of daphne's", more(b"Daphne-Root-Path: /elsewhere"), (200,)),
]

# For whom it is.
HOSTS = [
    Row("no Host", instead("Host"), (400,)),
    Row("two Hosts", instead("Host", b"127.0.0.1", b"evil.example"), (400,)),
    Row("an empty Host", instead("Host", b""), (403,), (400,)),
    Row("another's Host", instead("Host", b"evil.example"), (403,)),
    Row("a Host with a user", instead("Host", b"x@127.0.0.1"), (403,)),
    Row(
        "a whole address", start(b"POST http://127.0.0.1/mcp HTTP/1.1"), (404,), (200,)
    ),
    Row(
        "another's address",
        start(b"POST http://evil.example/mcp HTTP/1.1"),
        (404,),
        (200,),
    ),
]

# The first line.
STARTS = [
    Row("TRACE", start(b"TRACE /mcp HTTP/1.1"), (501,), (405,)),
    Row("CONNECT", start(b"CONNECT /mcp HTTP/1.1"), (501,), (405,)),
    Row("an unknown method", start(b"FOO /mcp HTTP/1.1"), (501,)),
    Row("a method of 100 letters", start(b"M" * 100 + b" /mcp HTTP/1.1"), (501,)),
    Row("post", start(b"post /mcp HTTP/1.1"), (501,), (400,)),
    Row("two spaces", start(b"POST  /mcp HTTP/1.1"), (400,), (200,)),
    Row("one word more", start(b"POST /mcp HTTP/1.1 x"), (400,)),
    Row("no version", start(b"POST /mcp"), (400,), (BARE,)),
    Row("HTTP/2.0", start(b"POST /mcp HTTP/2.0"), (400,), (505,)),
    Row("HTTP/9.9", start(b"POST /mcp HTTP/9.9"), (400,), (505,)),
    Row("a start of HTTP/2", start(b"PRI * HTTP/2.0"), (400,)),
    Row("a start of TLS", start(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"), (400,)),
    Row("NUL in the method", start(b"PO\0ST /mcp HTTP/1.1"), (400,)),
    Row("a path that is not ASCII", start(b"POST /mcp\xe9 HTTP/1.1"), (400,)),
    Row("NUL in percents", start(b"POST /mcp%00 HTTP/1.1"), (404,), (400,)),
    Row(
        "a path of 20 KB",
        start(b"POST /" + b"a" * 20_000 + b" HTTP/1.1"),
        (431,),
        (414,),
    ),
    Row("an empty line in front", start(b"\r\nPOST /mcp HTTP/1.1"), (200,)),
]

ROWS = [*FRAMING, *LINES, *HOSTS, *STARTS]


async def run(size: Size, directory: Path) -> str:
    async with noted(directory / "raw") as server:
        direct = [await _wrong(server.served, size, through=False)]
        arrived = len(server.arrived())
        with nginx([server.served], directory) as front:
            proxied = [await _wrong(front, size, through=True)]
        wrong = [*direct, *proxied]
        require(not any(wrong), "; ".join(filter(None, wrong)))
        counts = _counts(front, server, arrived)
    return (
        f"{len(ROWS)} requests, {size.times} times each: every status as tabled, by "
        f"the server alone and through nginx, which passed on {counts}"
    )


async def _wrong(served: Served, size: Size, *, through: bool) -> str:
    wrong = []
    for row in ROWS * size.times:
        expected = row.expected(through)
        heard = await say(served.port, [row.data(served.port)], len(expected))
        if heard.statuses != expected:
            where = "through nginx" if through else "alone"
            wrong.append(f"{row.name}, {where}: {heard.statuses}, not {expected}")
    return "; ".join(wrong)


def _counts(front: Nginx, server: Noted, before: int) -> str:
    """Say how many requests nginx has passed on. They are those that have arrived,
    but for some that the server refused in the application's place. Raises Failed.
    """
    lines = front.access_log.read_text(errors="replace").splitlines()
    found = [LOGGED.search(line) for line in lines if line.endswith(f":{server.port}")]
    passed_on = Counter(match["path"] for match in found if match)
    refused = Counter(m["path"] for m in found if m and m["status"] in REFUSALS)
    arrived = Counter(server.arrived()[before:])
    for path in passed_on | arrived:
        missing = passed_on[path] - arrived[path]
        require(
            0 <= missing <= refused[path],
            f"nginx passed {passed_on[path]} requests for {path} on, "
            f"{arrived[path]} arrived",
        )
    there, more = arrived.total(), passed_on.total() - arrived.total()
    return f"{passed_on.total()}: {there} arrived, and {more} were refused before"
