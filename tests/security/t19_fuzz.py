"""T19: whatever is said, every door says the same to it, and none fails."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deploy.servers import ROOT, Served
from mcp_transport.protocol.revisions import LATEST, REVISIONS, STATEFUL
from tests.faults.verdict import require
from tests.security import doors
from tests.security.doors import Door, Json, Sent
from tests.security.fuzz import CLAIMS, HANDSHAKE, Fuzz, mirrored, value_of
from tests.serving import daphnes
from tests.wire.tokens import ALICE

APPLICATION = "tests.security.target.asgi:lean"
SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.security.target.settings"}
# Only the access log is left out: it has a line for each message.
OPTIONS = (f"--access-log={os.devnull}",)
FAULTS = ("Traceback", " ERROR ", " CRITICAL ")
LINE_BYTES = 2**24
END_S = 30


@dataclass(frozen=True, kw_only=True)
class Size:
    """``messages`` go through each door in sessions, one share in each revision, and
    ``stateless`` ones through each door that takes them.
    """

    messages: int
    stateless: int


SMALL = Size(messages=800, stateless=400)
FULL = Size(messages=50_000, stateless=20_000)

# Which doors may answer a message in another way than the others do.
Excused = Callable[[Sent, Any], frozenset[str]]


class Tally:
    """``through`` counts the messages by their doors, ``kinds`` the answers."""

    def __init__(self) -> None:
        self.through: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()

    async def say(self, opened: Sequence[Door], sent: Sent, excused: Excused) -> None:
        """Send one body through each door. Raises Failed if they differ."""
        said = await asyncio.gather(*(door.ask(sent) for door in opened))
        apart = excused(sent, value_of(sent.body))
        heard = {
            door.name: outcome(messages)
            for door, messages in zip(opened, said, strict=True)
            if door.name not in apart
        }
        (first, expected), *others = heard.items()
        for name, found in others:
            require(
                found == expected,
                f"{sent.body[:500]!r}: {first} says {dict(expected)}, {name} says "
                f"{dict(found)}",
            )
        self.through.update(door.name for door in opened)
        self.kinds.update({kind: count for (_, kind), count in expected.items()})


def outcome(messages: Sequence[Json]) -> Counter[tuple[str, str]]:
    """Return how often there was which answer, by id."""
    return Counter(
        (repr(message.get("id")), kind(message))
        for message in messages
        if "method" not in message
    )


def kind(answer: Json) -> str:
    if "error" in answer:
        return str(answer["error"]["code"])
    return "failed in band" if answer["result"].get("isError") else "result"


def of_sessions(sent: Sent, value: Any) -> frozenset[str]:
    if isinstance(value, dict) and value.get("method") == HANDSHAKE:
        # One opens a session of its own for it, one knows no handshake; the others
        # have a session already.
        return frozenset({"streamable", "plain"})
    # The plain dialect has a method for batches.
    return frozenset({"plain"} if sent.more else ())


def without_sessions(sent: Sent, value: Any) -> frozenset[str]:
    if not isinstance(value, dict) or mirrored(value) is not None:
        return frozenset()
    # What no header can repeat is refused for that first, and what is no request
    # by a status: elsewhere nothing can answer it.
    is_call = type(value.get("method")) is str
    is_answer = "method" not in value and ("result" in value or "error" in value)
    return frozenset({"streamable"} if is_call or is_answer else ())


async def run(size: Size, directory: Path) -> str:
    log = directory / "stdio.log"
    tally = Tally()
    with daphnes(1, APPLICATION, directory, environ=SETTINGS, options=OPTIONS) as ours:
        (served,) = ours
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for name in STATEFUL:
                share = size.messages // len(STATEFUL)
                group.create_task(_in_sessions(served, log, name, share, tally))
            group.create_task(_stateless(served, log, size.stateless, tally))
        took_s = time.monotonic() - began
        require(served.process.poll() is None, "the server has ended")
        _require_calm(served.said() + log.read_text(encoding="utf-8"))
    through = ", ".join(f"{count} {door}" for door, count in tally.through.items())
    kinds = ", ".join(f"{count} {kind}" for kind, count in tally.kinds.most_common())
    return (
        f"messages {through}; every door answered alike: {kinds}; no 5xx, no "
        f"traceback, {sum(tally.through.values()) / took_s:.0f} messages/s"
    )


def _require_calm(said: str) -> None:
    faults = [line for line in said.splitlines() if any(one in line for one in FAULTS)]
    require(not faults, f"{len(faults)} faults in the logs: {faults[:3]}")


async def _in_sessions(
    served: Served, log: Path, revision: str, count: int, tally: Tally
) -> None:
    fuzz = Fuzz(revision, batching=REVISIONS[revision].batching)
    async with AsyncExitStack() as stack:
        process = await stack.enter_async_context(_stdio(log))
        opened: list[Door] = [
            await stack.enter_async_context(opening)
            for opening in (
                doors.streamable(served, revision),
                doors.http_with_sse(served, revision),
                doors.plain(served, revision),
                doors.websocket(served, revision),
                doors.stdio(process, revision),
            )
        ]
        for _ in range(count):
            await tally.say(opened, fuzz.sent(), of_sessions)


async def _stateless(served: Served, log: Path, count: int, tally: Tally) -> None:
    fuzz = Fuzz(LATEST.name, claims=CLAIMS)
    version = {"MCP-Protocol-Version": LATEST.name}
    async with AsyncExitStack() as stack:
        process = await stack.enter_async_context(_stdio(log))
        opened: list[Door] = [
            await stack.enter_async_context(opening)
            for opening in (
                doors.stateless(served),
                doors.websocket(served, None),
                doors.stdio(process, None),
            )
        ]
        for _ in range(count):
            sent = fuzz.sent()
            headers = mirrored(value_of(sent.body)) or version
            await tally.say(opened, replace(sent, headers=headers), without_sessions)


@asynccontextmanager
async def _stdio(log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start a server of its own, which must end in peace when its input does."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-m", "django", "mcp", "stdio"),
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "MCP_TOKEN": ALICE, **SETTINGS},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=output,
            limit=LINE_BYTES,
        )
    try:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(END_S):
            status = await process.wait()
        require(status == 0, f"stdio ended with status {status}")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
