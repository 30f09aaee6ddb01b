"""T15: WebSockets that do what they must not. Each is closed with the code that is
documented for it, and nobody else notices.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.faults.frames import (
    Frame,
    Opcode,
    Socket,
    close,
    code_of,
    fragments,
    frame,
    head,
    offer,
)
from tests.faults.honest import probing
from tests.faults.noted import Noted, noted
from tests.faults.raw_http import say
from tests.faults.usage import forget_peak, mb, peak_bytes
from tests.faults.verdict import require
from tests.websocket.peer import call

MIB = 1 << 20
GROWS_BYTES = 50 * MIB
# How late a pong may be that is still in time, and a server that looks for it.
LATE_S = 1
LOOKS_S = 5

# The codes of docs/deployment.md.
WRONG = 1002
NOT_UTF_8 = 1007
FLOOD = 1008
TOO_LARGE = 1009
NOT_TEXT = 4400
TOO_MANY = 4429


@dataclass(frozen=True, kw_only=True)
class Size:
    """``flood`` is how many frames a flood has, ``messages`` how many calls are made
    as fast as they go. Pings come every ``ping_interval_s``, and a peer that does
    not answer one for ``ping_timeout_s`` is dead.
    """

    flood: int
    messages: int
    ping_interval_s: int
    ping_timeout_s: int
    probe_p99_s: float


SMALL = Size(
    flood=20_000, messages=2000, ping_interval_s=3, ping_timeout_s=2, probe_p99_s=3
)
FULL = Size(
    flood=50_000, messages=50_000, ping_interval_s=30, ping_timeout_s=10, probe_p99_s=1
)

Pieces = Iterable[bytes]
ECHO = call("echo", text="here").encode()


@dataclass(frozen=True)
class Abuse:
    """What a client sends, and the code of the close frame that it must get.

    A code of None means that it is not closed: a call behind all of that is
    answered.
    """

    name: str
    pieces: Callable[[], Pieces]
    code: int | None
    within_s: float = 20


def spaces(size: int) -> bytes:
    """Return a good call of so many bytes."""
    return ECHO + b" " * (size - len(ECHO))


def bytewise(payload: bytes) -> Iterator[bytes]:
    return (payload[at : at + 1] for at in range(len(payload)))


def once(*pieces: bytes) -> Callable[[], Pieces]:
    return lambda: pieces


def many(piece: bytes, count: int) -> Callable[[], Pieces]:
    """Send the same again and again, a thousand at a time."""
    return lambda: itertools.repeat(piece * 1000, count // 1000)


def sizes() -> list[Abuse]:
    half, announced = b"x" * 65_536, 1 << 62
    return [
        Abuse("a mebibyte", once(frame(Opcode.TEXT, spaces(MIB))), None),
        Abuse("a byte too many", once(frame(Opcode.TEXT, spaces(MIB + 1))), TOO_LARGE),
        Abuse(
            "a byte too many, in fragments",
            lambda: fragments(Opcode.TEXT, [*[half] * 16, b"x"]),
            TOO_LARGE,
        ),
        Abuse("exabytes announced", once(head(Opcode.TEXT, announced)), TOO_LARGE),
        Abuse(
            "a call in fragments of a byte",
            lambda: fragments(Opcode.TEXT, bytewise(ECHO)),
            None,
        ),
    ]


def floods(size: Size) -> list[Abuse]:
    empty = frame(Opcode.MORE, fin=False)
    begun = frame(Opcode.TEXT, b"x", fin=False)
    return [
        Abuse("pings", many(frame(Opcode.PING, b"x"), size.flood), FLOOD),
        Abuse("pongs", many(frame(Opcode.PONG, b"x"), size.flood), FLOOD),
        Abuse(
            "fragments of a byte",
            lambda: itertools.chain(
                [begun], many(frame(Opcode.MORE, b"x", fin=False), 20 * size.flood)()
            ),
            FLOOD,
            within_s=60,
        ),
        Abuse(
            "fragments of nothing",
            lambda: itertools.chain([begun], many(empty, 20 * size.flood)()),
            FLOOD,
            within_s=60,
        ),
        Abuse(
            "calls that wait",
            lambda: (
                frame(Opcode.TEXT, call("work", n, call="x", pause_s=30).encode())
                for n in range(1000)
            ),
            TOO_MANY,
        ),
    ]


def violations() -> list[Abuse]:
    text, bad = b'{"a":"\xff"}', b"\xed\xa0\x80"
    begun = frame(Opcode.TEXT, b"{", fin=False)
    return [
        Abuse("no JSON", once(frame(Opcode.TEXT, b"{")), None),
        Abuse("binary", once(frame(Opcode.BINARY, ECHO)), NOT_TEXT),
        Abuse("no UTF-8", once(frame(Opcode.TEXT, text)), NOT_UTF_8),
        Abuse(
            "no UTF-8 in a fragment",
            once(begun, frame(Opcode.MORE, bad, fin=False)),
            NOT_UTF_8,
        ),
        Abuse("no UTF-8 in a reason", once(close(1000, b"\xff")), NOT_UTF_8),
        Abuse("no mask", once(frame(Opcode.TEXT, ECHO, masked=False)), WRONG),
        Abuse("a reserved bit", once(frame(Opcode.TEXT, ECHO, rsv=4)), WRONG),
        Abuse("a reserved opcode", once(frame(3, ECHO)), WRONG),
        Abuse("a reserved control opcode", once(frame(11)), WRONG),
        Abuse("a ping of 126 bytes", once(frame(Opcode.PING, b"x" * 126)), WRONG),
        Abuse("half a ping", once(frame(Opcode.PING, b"x", fin=False)), WRONG),
        Abuse("more of nothing", once(frame(Opcode.MORE, ECHO)), WRONG),
        Abuse("a message in another", once(begun, frame(Opcode.TEXT, ECHO)), WRONG),
        Abuse("half a code", once(frame(Opcode.CLOSE, b"\x03")), WRONG),
        Abuse("a code that nobody sends", once(close(1006)), WRONG),
        Abuse("a code that is none", once(close(999)), WRONG),
        Abuse("a call behind the end", once(close(1000), frame(1, ECHO)), 1000),
    ]


# Requests to open a WebSocket that open none.
HANDSHAKES: list[tuple[str, bytes, int]] = [
    ("no key", offer(Sec_WebSocket_Key=None), 400),
    ("a short key", offer(Sec_WebSocket_Key="short"), 400),
    ("another version", offer(Sec_WebSocket_Version="7"), 400),
    ("by POST", offer("POST /ws HTTP/1.1", Content_Length="0"), 405),
    ("from elsewhere", offer(Origin="https://evil.example"), 403),
    ("for another protocol", offer(Sec_WebSocket_Protocol="chat"), 403),
    ("to another place", offer("GET /elsewhere HTTP/1.1"), 403),
]


async def run(size: Size, directory: Path) -> str:
    abuses = [*sizes(), *floods(size), *violations()]
    options = (
        f"--ping-interval={size.ping_interval_s}",
        f"--ping-timeout={size.ping_timeout_s}",
    )
    async with (
        noted(directory / "abuse", *options) as server,
        probing(server.served.port) as probe,
    ):
        forget_peak(server.pid)
        before = peak_bytes(server.pid)
        quiet = asyncio.gather(
            _never_answers(server, size), _answers_late(server, size)
        )
        wrong = [await _try(server, abuse) for abuse in abuses]
        wrong += [await _shake(server, *handshake) for handshake in HANDSHAKES]
        per_s = await _hurry(server, size.messages)
        wrong += await quiet
        grown = peak_bytes(server.pid) - before
        require(not any(wrong), "; ".join(filter(None, wrong)))
    require(grown <= GROWS_BYTES, f"{mb(grown)} of memory at the peak")
    probe.require_served(size.probe_p99_s)
    return (
        f"{len(abuses)} abuses closed with the code that is documented, or borne; "
        f"{len(HANDSHAKES)} bad handshakes refused; {size.messages} calls on one "
        f"socket answered, {per_s:.0f} a second; a peer that answers no ping is cut, "
        f"one that answers late is not; {mb(grown)} of memory at the peak; meanwhile "
        f"{probe}"
    )


async def _try(server: Noted, abuse: Abuse) -> str:
    """Return what is wrong with how a client was treated, or nothing."""
    began, socket = time.monotonic(), await Socket.open(server.port)
    pieces: Pieces = abuse.pieces()
    if abuse.code is None:
        pieces = itertools.chain(pieces, [_last()])
    sending = asyncio.create_task(socket.send(pieces))
    try:
        heard = await _hear_the_end(socket)
    except TimeoutError:
        return f"{abuse.name}: neither closed nor answered"
    finally:
        sending.cancel()
        socket.leave()
    took_s = time.monotonic() - began
    how = f"closed with {code_of(heard)}" if _is_end(heard) else "borne"
    expected = "borne" if abuse.code is None else f"closed with {abuse.code}"
    if how != expected:
        return f"{abuse.name}: {how}, not {expected}"
    return f"{abuse.name}: took {took_s:.0f} s" if took_s > abuse.within_s else ""


def _last() -> bytes:
    return frame(Opcode.TEXT, call("echo", "last", text="here").encode())


def _is_end(heard: Frame | None) -> bool:
    return heard is None or heard[0] == Opcode.CLOSE


async def _hear_the_end(socket: Socket) -> Frame | None:
    """Return the close frame, None for none, or the answer to the last call.

    Raises TimeoutError.
    """
    while True:
        heard = await socket.hear()
        if _is_end(heard):
            return heard
        assert heard is not None
        opcode, payload = heard
        if opcode == Opcode.TEXT and json.loads(payload).get("id") == "last":
            return heard


async def _shake(server: Noted, name: str, data: bytes, status: int) -> str:
    heard = await say(server.port, [data], 1)
    if heard.statuses == (status,):
        return ""
    return f"handshake {name}: {heard.statuses}, not {status}"


async def _hurry(server: Noted, count: int) -> float:
    """Send so many calls as fast as they are taken; return how many were answered a
    second. Raises Failed if one was not.
    """
    began, socket = time.monotonic(), await Socket.open(server.port)
    calls = (
        frame(Opcode.TEXT, call("echo", n, text="").encode()) for n in range(count)
    )
    sending = asyncio.create_task(socket.send(itertools.chain(calls, [_last()])))
    answered = 0
    try:
        while (heard := await socket.hear()) is not None:
            require(heard[0] != Opcode.CLOSE, f"a hurry was closed: {code_of(heard)}")
            if heard[0] == Opcode.TEXT:
                answered += "result" in json.loads(heard[1])
            if answered == count + 1:
                return count / (time.monotonic() - began)
    finally:
        sending.cancel()
        socket.leave()
    require(False, f"{answered} of {count} calls in a hurry were answered")
    raise AssertionError


async def _never_answers(server: Noted, size: Size) -> str:
    """Let no ping be answered: the connection is cut."""
    began, socket = time.monotonic(), await Socket.open(server.port)
    try:
        while await socket.hear() is not None:
            pass
    except TimeoutError:
        return "a peer that answered no ping was not cut"
    finally:
        socket.leave()
    took_s, most_s = (
        time.monotonic() - began,
        size.ping_interval_s + size.ping_timeout_s,
    )
    if took_s > most_s + LOOKS_S:
        return f"a peer that answered no ping was cut after {took_s:.0f} s"
    return ""


async def _answers_late(server: Noted, size: Size) -> str:
    """Answer two pings, but only just in time: the connection is not cut."""
    socket = await Socket.open(server.port)
    try:
        for _ in range(2):
            heard = await socket.hear()
            if heard is None or heard[0] != Opcode.PING:
                return f"in place of a ping came {heard}"
            await asyncio.sleep(size.ping_timeout_s - LATE_S)
            await socket.send([frame(Opcode.PONG, heard[1])])
        await socket.send([_last()])
        if _is_end(await _hear_the_end(socket)):
            return "a peer whose pong was late was cut"
    finally:
        socket.leave()
    return ""
