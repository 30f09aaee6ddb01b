"""T14: bodies of every size and shape. What is refused is refused before a tool
runs, and before it is in memory.
"""

from __future__ import annotations

import gzip
import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.honest import probing
from tests.faults.noted import Noted, noted
from tests.faults.raw_http import PIECE_BYTES, TOKEN, Heard, say
from tests.faults.requests import stateless
from tests.faults.usage import forget_peak, mb, peak_bytes
from tests.faults.verdict import require

MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Size:
    """What is large has ``large_bytes``. While a body is refused the server may
    take ``grows_bytes`` more memory; an honest call may take ``probe_p99_s``.
    """

    large_bytes: int
    grows_bytes: int
    probe_p99_s: float


SMALL = Size(large_bytes=30_000_000, grows_bytes=5 * MIB, probe_p99_s=3)
FULL = Size(large_bytes=300_000_000, grows_bytes=5 * MIB, probe_p99_s=1)

Pieces = Iterator[bytes]


@dataclass(frozen=True)
class Head:
    """The head of a call that is good but for what is said here."""

    framing: tuple[str, ...]
    others: Mapping[str, str] = field(default_factory=dict)
    start: str = "POST /mcp HTTP/1.1"

    def of(self, call: str) -> bytes:
        _, headers = stateless("work", call, {"call": call})
        sent = {
            "Host": "127.0.0.1",
            **headers,
            "Authorization": f"Bearer {TOKEN}",
            **self.others,
        }
        lines = [self.start, *self.framing]
        lines += [f"{name}: {value}" for name, value in sent.items()]
        return "\r\n".join([*lines, "", ""]).encode()


@dataclass(frozen=True)
class Body:
    """A request whose effect would be noted under ``name``, and what answers it.

    ``content`` makes what is behind the head when it is sent, so that 300 MB need
    no room here either. ``when_asked`` is sent behind "100 Continue". ``ends`` tells
    whether the server has to close the connection, ``within_s`` how soon all is to
    be over.
    """

    name: str
    head: Head
    content: Callable[[], Pieces]
    statuses: tuple[int, ...]
    when_asked: tuple[bytes, ...] = ()
    half_closes: bool = False
    ends: bool = False
    within_s: float = 10

    @property
    def runs(self) -> bool:
        return 200 in self.statuses

    def pieces(self) -> Pieces:
        return itertools.chain([self.head.of(self.name)], self.content())


CHUNKED = "Transfer-Encoding: chunked"
EXPECTS = "Expect: 100-continue"


def good(call: str) -> bytes:
    message, _ = stateless("work", call, {"call": call})
    return json.dumps(message).encode()


def padded(call: str, size: int) -> Pieces:
    """Yield a good call of ``size`` bytes: JSON allows spaces behind it."""
    body = good(call)
    yield body
    yield from repeated(b" ", size - len(body))


def repeated(byte: bytes, size: int) -> Pieces:
    piece = byte * PIECE_BYTES
    for _ in range(size // PIECE_BYTES):
        yield piece
    yield piece[: size % PIECE_BYTES]


def nothing() -> Pieces:
    return iter(())


def in_chunks(pieces: Pieces) -> Pieces:
    """Yield the chunks of RFC 9112 section 7.1, with the last one."""
    for piece in pieces:
        if piece:
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def in_bytes(pieces: Pieces) -> Pieces:
    """Yield a chunk for each byte."""
    for piece in pieces:
        yield b"".join(b"1\r\n%c\r\n" % byte for byte in piece)
    yield b"0\r\n\r\n"


def by_length(name: str, size: int, status: int) -> Body:
    head = Head((f"Content-Length: {size}",))
    return Body(name, head, lambda: padded(name, size), (status,))


def by_chunks(name: str, size: int, status: int) -> Body:
    content = lambda: in_chunks(padded(name, size))  # noqa: E731
    return Body(name, Head((CHUNKED,)), content, (status,))


def taken() -> list[Body]:
    """Return what is as it should be, up to the limit."""
    asking, extended = good("when asked"), good("an extension and a trailer")
    length = f"Content-Length: {len(asking)}"
    chunk = b"%x;a=b\r\n%b\r\n" % (len(extended), extended)
    return [
        by_length("short", 1000, 200),
        by_length("a mebibyte", MIB, 200),
        by_chunks("a mebibyte in chunks", MIB, 200),
        Body(
            "a chunk of each byte",
            Head((CHUNKED,)),
            lambda: in_bytes(padded("a chunk of each byte", 50_000)),
            (200,),
        ),
        Body(
            "when asked",
            Head((length, EXPECTS)),
            nothing,
            (100, 200),
            when_asked=(asking,),
        ),
        Body(
            "an extension and a trailer",
            Head((CHUNKED,)),
            lambda: iter([chunk, b"0\r\nMcp-Name: other\r\n\r\n"]),
            (200,),
        ),
    ]


def too_large(size: int) -> list[Body]:
    """Return what is over the limit, by a byte and by ``size`` bytes."""
    length = f"Content-Length: {size}"
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    fields = {"Content-Type": "application/x-www-form-urlencoded"}
    zipped = {"Content-Encoding": "gzip"}
    refused = (413,)

    def large(name: str, head: Head, byte: bytes = b" ") -> Body:
        return Body(name, head, lambda: repeated(byte, size), refused, ends=True)

    return [
        by_length("a byte too many", MIB + 1, 413),
        by_chunks("a byte too many in chunks", MIB + 1, 413),
        Body(
            "a byte too many in small chunks",
            Head((CHUNKED,)),
            lambda: in_chunks(iter([b" " * 64] * (MIB // 64) + [b" "])),
            refused,
        ),
        large("large", Head((length,))),
        Body(
            "large in chunks",
            Head((CHUNKED,)),
            lambda: in_chunks(repeated(b" ", size)),
            refused,
            ends=True,
        ),
        Body(
            "large in one chunk",
            Head((CHUNKED,)),
            lambda: itertools.chain([b"%x\r\n" % size], repeated(b" ", size)),
            refused,
            ends=True,
        ),
        # Neither waits for a body that nobody will read.
        Body("large, asking first", Head((length, EXPECTS)), nothing, refused),
        Body(
            "petabytes announced",
            Head((f"Content-Length: {10**15}",)),
            nothing,
            refused,
        ),
        large("large by HTTP/1.0", Head((length,), start="POST /mcp HTTP/1.0")),
        large("large by GET", Head((length,), start="GET /mcp HTTP/1.1")),
        large("large elsewhere", Head((length,), start="POST /nothing HTTP/1.1")),
        large("large form", Head((length,), form)),
        large("large fields", Head((length,), fields), b"&"),
        large("large and zipped", Head((length,), zipped)),
    ]


def ill_formed(size: int) -> list[Body]:
    """Return what cannot be read, or means two things."""
    # A thousand times as much when unzipped: nobody does.
    bomb = gzip.compress(b" " * size, 9)
    zipped = Head((f"Content-Length: {len(bomb)}",), {"Content-Encoding": "gzip"})
    early, behind = good("shorter than its length"), good("garbage behind")
    length = f"Content-Length: {len(behind)}"

    def framed(name: str, *framing: str, sent: bytes | None = None) -> Body:
        content = good(name) if sent is None else sent
        return Body(name, Head(framing), lambda: iter([content]), (400,))

    def endless(name: str, start: bytes) -> Body:
        content = lambda: itertools.chain([start], repeated(b"a", size))  # noqa: E731
        return Body(name, Head((CHUNKED,)), content, (400,), ends=True)

    return [
        Body("zipped", zipped, lambda: iter([bomb]), (415,)),
        framed("no length"),
        framed("two lengths", "Content-Length: 1000", "Content-Length: 3"),
        framed("length and chunks", "Content-Length: 1000", CHUNKED),
        framed("negative", "Content-Length: -1"),
        framed("no number", "Content-Length: 0x10"),
        framed("no chunk", CHUNKED, sent=b"zz\r\n\r\n"),
        Body(
            "garbage behind",
            Head((length,)),
            lambda: iter([behind, b"\0garbage\r\n\r\n"]),
            (200, 400),
        ),
        endless("an extension without end", b"1;"),
        endless("a trailer without end", b"0\r\nA: "),
        Body(
            "shorter than its length",
            Head(("Content-Length: 1000",)),
            lambda: iter([early]),
            (),
            half_closes=True,
            ends=True,
        ),
        Body(
            "never whole",
            Head(("Content-Length: 1000",)),
            lambda: iter([good("never whole")]),
            (408,),
            ends=True,
            within_s=15,
        ),
        Body(
            "petabytes in one chunk, which never comes",
            Head((CHUNKED,)),
            lambda: iter([b"ffffffffffff\r\n"]),
            (408,),
            ends=True,
            within_s=15,
        ),
    ]


async def run(size: Size, directory: Path) -> str:
    good_ones, large = taken(), size.large_bytes
    refused = [*too_large(large), *ill_formed(large)]
    async with (
        noted(directory / "bodies") as server,
        probing(server.served.port) as probe,
    ):
        wrong = [await _try(server, body) for body in good_ones]
        # What it needs for the largest body it takes it has taken by now.
        forget_peak(server.pid)
        before = peak_bytes(server.pid)
        wrong += [await _try(server, body) for body in refused]
        grown = peak_bytes(server.pid) - before
        expected = {body.name: 1 for body in [*good_ones, *refused] if body.runs}
        require(not any(wrong), "; ".join(filter(None, wrong)))
        require(server.ran() == expected, f"ran: {server.ran()}")
    require(grown <= size.grows_bytes, f"{mb(grown)} of memory at the peak")
    probe.require_served(size.probe_p99_s)
    return (
        f"{len(good_ones)} bodies were taken and {len(refused)} refused, those of "
        f"{large / 1e6:g} MB before they were in memory ({mb(grown)} at the "
        f"peak); no tool ran of a refused one; meanwhile {probe}"
    )


async def _try(server: Noted, body: Body) -> str:
    """Return what is wrong with how a body was answered, or nothing."""
    began = time.monotonic()
    heard = await say(
        server.port,
        body.pieces(),
        len(body.statuses),
        when_asked=body.when_asked,
        half_closes=body.half_closes,
    )
    took_s = time.monotonic() - began
    if problem := _problem(body, heard, took_s):
        return f"{body.name}: {problem}"
    return ""


def _problem(body: Body, heard: Heard, took_s: float) -> str:
    if heard.statuses != body.statuses:
        return f"answered by {heard.statuses}, not {body.statuses}"
    if body.ends and not heard.ended:
        return "the connection was left open"
    if took_s > body.within_s:
        return f"took {took_s:.0f} s"
    return ""
