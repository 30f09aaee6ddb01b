"""T29: standard output carries messages, whatever tools and clients do, and the
server ends when its client does.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mcp_transport.protocol.errors import INVALID_REQUEST, PARSE_ERROR
from tests.faults.verdict import Failed, percentile, require
from tests.stdio.process import Json, Stdio, call, text_of
from tests.wire.tokens import ALICE

MAX_BYTES = 1_048_576
ENVIRON = {
    "PATH": os.environ["PATH"],
    "DJANGO_SETTINGS_MODULE": "tests.security.target.settings",
    "SECURITY_CATALOGUE": "tests.security.target.loud.shelf",
    "MCP_TOKEN": ALICE,
}
AT_ONCE = 4
TEXTS = ("a\nb\r\nc\r", "a\0b", "a\u2028b\u2029c\x85d", '\n{"jsonrpc":"2.0"}\n')


@dataclass(frozen=True, kw_only=True)
class Size:
    """Every ``step``-th case happens ``times`` times, each to a server of its own
    that then has to end ``within_s``.
    """

    step: int
    times: int
    within_s: float


SMALL = Size(step=3, times=1, within_s=15)
FULL = Size(step=1, times=5, within_s=5)

# What happens to a server; afterwards its input, if that is still open, ends.
Case = Callable[[Stdio], None]
# What is said after the input has ended: a text, or the code of an error.
Rest = tuple[str | int, ...]


def loud(tool: str, way: str) -> Case:
    """Return a tool that writes, between calls that are answered."""

    def happens(server: Stdio) -> None:
        server.says(call(1, "echo", text="before"), call(2, tool, way=way))
        server.says(call(3, "echo", text="after"))
        answers = {one["id"]: text_of(one) for one in (server.hears() for _ in "123")}
        require(answers == {1: "before", 2: way, 3: "after"}, f"answers {answers}")

    return happens


def refused(line: bytes, code: int) -> Case:
    """Return a line that is no message, before one that is."""

    def happens(server: Stdio) -> None:
        server.says(line, call(1, "echo", text="after"))
        error, answer = server.hears(), server.hears()
        require(error["error"]["code"] == code, f"{line[:99]!r}: {error}")
        require(text_of(answer) == "after", f"{line[:99]!r}: then {answer}")

    return happens


def a_line_as_long_as_may_be(server: Stdio) -> None:
    bare = len(call(1, "echo", text=""))
    line = call(1, "echo", text="x" * (MAX_BYTES - bare))
    require(len(line) == MAX_BYTES, "the line is of another length")
    server.says(line)
    require(len(text_of(server.hears())) == MAX_BYTES - bare, "a part is missing")


def texts_of_several_lines(server: Stdio) -> None:
    for text in (
        "a\nb\r\nc\r",
        "a\0b",
        "a\u2028b\u2029c\x85d",
        '\n{"jsonrpc":"2.0"}\n',
    ):
        server.says(call(1, "echo", text=text))
        require(text_of(server.hears()) == text, f"{text!r} is another")


def cut(line: bytes) -> Case:
    """Return a line that has no end, for a server that has begun to answer."""

    def happens(server: Stdio) -> None:
        server.says(call(0, "echo", text="first"))
        require(text_of(server.hears()) == "first", "no answer")
        server.writes(line)

    return happens


def busy(tool: str, mark: str, end: Case) -> Case:
    """Return an end that comes while a tool runs that would not end by itself."""

    def happens(server: Stdio) -> None:
        server.says(call(1, tool))
        server.sees(mark)
        end(server)

    return happens


def hangs_up(server: Stdio) -> None:
    server.hangs_up()


def terminates(server: Stdio) -> None:
    server.process.terminate()


def closed_output(server: Stdio) -> None:
    server.says(call(1, "echo", text="yes"))
    require(text_of(server.hears()) == "yes", "no answer")
    server.deafens()
    server.says(call(2, "echo", text="nobody hears this"))


CASES: dict[str, Case] = {
    "print() in a plain tool": loud("loud", "print"),
    "print() in an async tool": loud("loud_async", "print"),
    "sys.__stdout__": loud("loud", "dunder"),
    "os.write(1)": loud("loud_async", "descriptor"),
    "/dev/stdout": loud("loud", "name"),
    "C's own puts()": loud("loud_async", "libc"),
    "a child process": loud("loud", "child"),
    "a shell": loud("loud_async", "shell"),
    "four threads": loud("loud", "threads"),
    "a child that outlives its call": loud("loud", "orphan"),
    "a child that floods": loud("loud", "flood"),
    "texts of several lines": texts_of_several_lines,
    "1 MiB": a_line_as_long_as_may_be,
    "1 MiB + 1": refused(b"x" * (MAX_BYTES + 1), INVALID_REQUEST),
    "NUL": refused(b'{"jsonrpc":"2.0",\0"id":1,"method":"ping"}', PARSE_ERROR),
    "bad UTF-8": refused(b'{"jsonrpc":"2.0","id":"\xff","method":"x"}', PARSE_ERROR),
    "EOF within a line": cut(call(1, "echo", text="last")[:-9]),
    "EOF instead of a line's end": cut(call(1, "echo", text="last")),
    "EOF within a call": busy("wait", "waiting", hangs_up),
    "EOF while a thread is held": busy("hold", "holding", hangs_up),
    "SIGTERM within a call": busy("wait", "waiting", terminates),
    "SIGTERM while a thread is held": busy("hold", "holding", terminates),
    "closed standard output": closed_output,
}
RESTS: dict[str, Rest] = {
    "EOF within a line": (PARSE_ERROR,),
    "EOF instead of a line's end": ("last",),
}


async def run(size: Size, directory: Path) -> str:
    names = [name for name in list(CASES)[:: size.step] for _ in range(size.times)]
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        ended_s = await asyncio.gather(
            *(
                loop.run_in_executor(threads, _happened, name, directory / str(number))
                for number, name in enumerate(names)
            )
        )
    for name, took_s in zip(names, ended_s, strict=True):
        require(took_s <= size.within_s, f"{name}: it ended after {took_s:.1f} s")
    return (
        f"{len(set(names))} cases, {len(names)} servers: nothing but whole messages on "
        f"standard output, and each ended with status 0, within {max(ended_s):.1f} s "
        f"of its client, p50 {percentile(ended_s, 50):.1f} s"
    )


def _happened(name: str, directory: Path) -> float:
    """Return the seconds from when the client left until the server had ended.

    Raises Failed, with the name of the case, for what did not hold.
    """
    directory.mkdir()
    server = Stdio([], {**ENVIRON, "SECURITY_MARKS": str(directory)}, directory)
    try:
        CASES[name](server)
        server.hangs_up()
        began = time.monotonic()
        rest = tuple(outcome(message) for message in server.ends())
        took_s = time.monotonic() - began
    except AssertionError as error:
        raise Failed(f"{name}: {error}; {server.said()[-500:]}") from error
    finally:
        server.stop()
    require(rest == RESTS.get(name, ()), f"{name}: in the end {rest} was said")
    left = {mark for mark in ("waiting", "cancelled") if (directory / mark).exists()}
    require(len(left) != 1, f"{name}: what waited was not ended")
    return took_s


def outcome(message: Json) -> str | int:
    if "error" in message:
        code: int = message["error"]["code"]
        return code
    return text_of(message)
