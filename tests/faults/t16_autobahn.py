"""T16: WebSockets themselves, by the cases of the Autobahn Testsuite: a few of them
written here, and at full size all of them by the program itself.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.servers import Served
from tests import peers
from tests.faults.frames import (
    Frame,
    Opcode,
    Socket,
    close,
    code_of,
    fragments,
    frame,
)
from tests.faults.verdict import require
from tests.serving import mcp_serves

APPLICATION = "tests.faults.served.echo:application"
WSTEST_S = 1800
PASSED = {"OK", "NON-STRICT", "INFORMATIONAL"}


@dataclass(frozen=True)
class Size:
    """``cases`` are the patterns of those that wstest is to run, which has to run
    ``count`` of them.
    """

    cases: tuple[str, ...]
    count: int


SMALL = Size(cases=(), count=0)
FULL = Size(cases=tuple(f"{n}.*" for n in (1, 2, 3, 4, 5, 6, 7, 9, 10)), count=301)


@dataclass(frozen=True)
class Case:
    """What is sent, what must be echoed, and the code that the server then closes
    with; 1000 where we do so first.
    """

    sent: Iterable[bytes]
    echoed: tuple[Frame, ...] = ()
    code: int = 1000


def echo(opcode: int, payload: bytes) -> Case:
    return Case([frame(opcode, payload)], ((opcode, payload),))


def ping(payload: bytes) -> Case:
    return Case([frame(Opcode.PING, payload)], ((Opcode.PONG, payload),))


def wrong(*sent: bytes, code: int = 1002) -> Case:
    return Case(sent, code=code)


HELLO = "Hello-µ@ßöäüàá-UTF-8!!".encode()
TEXT = Opcode.TEXT
BEGUN = frame(TEXT, HELLO[:7], fin=False)
ENDED = frame(Opcode.MORE, HELLO[7:])
WHOLE = ((TEXT, HELLO),)
KIB_64 = b"*" * 65_536
PIECES = [KIB_64[:64]] * 1024

# By the numbers that they have in the testsuite.
CASES: Mapping[str, Case] = {
    "1.1.2": echo(TEXT, b"*" * 125),
    "1.1.6": echo(TEXT, b"*" * 65_535),
    "1.2.4": echo(Opcode.BINARY, b"\xfe" * 127),
    "2.1": ping(b""),
    "2.4": ping(b"\xfe" * 125),
    "2.5": wrong(frame(Opcode.PING, b"\xfe" * 126)),
    "2.8": Case([frame(Opcode.PONG, b"unasked"), frame(TEXT, HELLO)], WHOLE),
    "2.10": Case(
        [frame(Opcode.PING, b"%d" % n) for n in range(10)],
        tuple((Opcode.PONG, b"%d" % n) for n in range(10)),
    ),
    "3.1": wrong(frame(TEXT, HELLO, rsv=1)),
    "3.7": wrong(frame(Opcode.CLOSE, b"", rsv=7)),
    "4.1.1": wrong(frame(3)),
    "4.2.1": wrong(frame(11)),
    "5.1": wrong(frame(Opcode.PING, b"a", fin=False), frame(Opcode.MORE, b"b")),
    "5.3": Case([BEGUN, ENDED], WHOLE),
    "5.7": Case(
        [BEGUN, frame(Opcode.PING, b"between"), ENDED],
        ((Opcode.PONG, b"between"), *WHOLE),
    ),
    "5.9": wrong(frame(Opcode.MORE, HELLO)),
    "5.18": wrong(BEGUN, frame(TEXT, HELLO)),
    "6.2.3": Case(fragments(TEXT, [b"%c" % byte for byte in HELLO]), WHOLE),
    "6.3.1": wrong(frame(TEXT, b"\xce\xba\xed\xa0\x80edited"), code=1007),
    "6.4.1": wrong(frame(TEXT, b"\xf4\x90\x80\x80", fin=False), code=1007),
    "7.3.1": Case([frame(Opcode.CLOSE)]),
    "7.3.2": wrong(frame(Opcode.CLOSE, b"a")),
    "7.5.1": wrong(close(1000, b"\xce\xba\xed\xa0\x80"), code=1007),
    "7.7.9": Case([close(3000)]),
    "7.9.3": wrong(close(1005)),
    "9.1.1": echo(TEXT, KIB_64),
    "9.3.1": Case(list(fragments(TEXT, PIECES)), ((TEXT, KIB_64),)),
}


async def run(size: Size, directory: Path) -> str:
    environ = {"DJANGO_SETTINGS_MODULE": "tests.faults.served.echo_settings"}
    options = (f"--access-log={os.devnull}",)
    with mcp_serves(1, APPLICATION, directory, environ=environ, options=options) as (
        served,
    ):
        problems = [await _problem(served, *case) for case in CASES.items()]
        require(not any(problems), "; ".join(filter(None, problems)))
        said = await asyncio.to_thread(_wstest, served, size, directory)
    return f"{len(CASES)} cases written here passed{said}"


async def _problem(served: Served, number: str, case: Case) -> str:
    """Return what is wrong with how a case went, or nothing."""
    socket = await Socket.open(served.port)
    try:
        await socket.send(case.sent)
        for expected in case.echoed:
            if (heard := await socket.hear()) != expected:
                return f"{number}: heard {str(heard)[:80]}, not {str(expected)[:80]}"
        if case.echoed:
            await socket.send([close(case.code)])
        heard = await socket.hear()
        if heard is None or heard[0] != Opcode.CLOSE or code_of(heard) != case.code:
            return f"{number}: ended by {heard}, not {case.code}"
        await socket.send([frame(Opcode.CLOSE, heard[1])])
        if await socket.hear() is not None:
            return f"{number}: something came behind the end"
    finally:
        socket.leave()
    return ""


def _wstest(served: Served, size: Size, directory: Path) -> str:
    """Let the testsuite run its cases; say how they ended. Raises Failed."""
    if not size.cases:
        return ""
    suite = peers.environment("autobahn").resolve()
    reports = directory / "reports"
    spec = {
        "outdir": str(reports),
        "servers": [{"agent": "mcp", "url": f"ws://127.0.0.1:{served.port}"}],
        "cases": size.cases,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    }
    (directory / "spec.json").write_text(json.dumps(spec))
    ran = peers.run(
        [
            *(suite / "python2.7", suite / "bin" / "wstest"),
            *("--mode", "fuzzingclient", "--spec", directory / "spec.json"),
        ],
        timeout_s=WSTEST_S,
        environ={"PYTHONPATH": str(suite)},
        cwd=directory,
    )
    require(ran.returncode == 0, f"wstest failed: {ran.stderr[-500:]}")
    return f"; of the testsuite's {_verdict(reports, size)}"


def _verdict(reports: Path, size: Size) -> str:
    """Raises Failed."""
    index: Any = json.loads((reports / "index.json").read_text())
    cases: Mapping[str, Mapping[str, str]] = index["mcp"]
    failed = [
        number
        for number, case in cases.items()
        if not {case["behavior"], case["behaviorClose"]} <= PASSED
    ]
    require(len(cases) == size.count, f"{len(cases)} cases ran, not {size.count}")
    require(not failed, f"failed: {failed}")
    counts = Counter(case["behavior"] for case in cases.values()).items()
    said = ", ".join(f"{count} {how}" for how, count in counts)
    return f"{len(cases)} cases none failed: {said}"
