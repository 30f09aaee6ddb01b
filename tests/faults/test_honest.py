"""The honest client notices whatever goes wrong, and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.faults.attackers import address
from tests.faults.connection import HOST
from tests.faults.honest import ADDRESS, APART_S, Probe, probing
from tests.faults.usage import Usage
from tests.faults.verdict import Failed

RESULT = json.dumps(
    {"content": [{"type": "text", "text": "here"}]}, separators=(",", ":")
)
PATIENCE_S = 60
USAGE = Usage(rss_bytes=0, fds=20, threads=3, tasks=7)


def reply(status: int, body: str) -> bytes:
    head = f"HTTP/1.1 {status} \r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


@asynccontextmanager
async def server(reply: bytes, together: int = 1) -> AsyncIterator[int]:
    """Answer nobody until so many have asked."""
    asked, enough = 0, asyncio.Event()

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        assert writer.get_extra_info("peername")[0] == ADDRESS
        await reader.readuntil(b"\r\n\r\n")
        nonlocal asked
        asked += 1
        if asked == together:
            enough.set()
        await enough.wait()
        writer.write(reply)
        writer.close()

    async with await asyncio.start_server(answer, HOST, 0) as listening:
        yield listening.sockets[0].getsockname()[1]


async def answered(probe: Probe, times: int) -> None:
    """Wait until so many calls were answered."""
    async with asyncio.timeout(PATIENCE_S):
        while len(probe.took_s) < times:  # noqa: ASYNC110 - by a server
            await asyncio.sleep(APART_S)


async def test_who_is_served_says_so() -> None:
    async with server(reply(200, RESULT)) as port, probing(port) as probe:
        await answered(probe, 2)
    probe.require_served(p99_s=PATIENCE_S)
    assert str(probe).startswith(f"{len(probe.took_s)} calls")


@pytest.mark.parametrize(
    "wrong",
    [b"", reply(503, RESULT), reply(200, "{}"), reply(200, RESULT)[:-1]],
)
async def test_whoever_is_not_says_how(wrong: bytes) -> None:
    probe = Probe()
    async with server(wrong) as port:
        await probe.call(port)
    assert probe.errors.total() == 1
    with pytest.raises(Failed, match="met with"):
        probe.require_served(p99_s=PATIENCE_S)


async def test_calls_go_on_while_others_wait() -> None:
    answer = server(reply(200, RESULT), together=3)
    async with answer as port, probing(port) as probe:
        await answered(probe, 3)
    # The first call waited for the third, which came two pauses later.
    with pytest.raises(Failed, match="took"):
        probe.require_served(p99_s=APART_S)


@pytest.mark.parametrize("left", ["fds", "threads", "tasks"])
def test_what_is_left_behind_is_seen(left: str) -> None:
    held = {"rss_bytes": 10**9, "fds": 20, "threads": 3, "tasks": 7}
    Usage(**held).require_back_at(USAGE)
    with pytest.raises(Failed, match=f"6 {left}"):
        Usage(**{**held, left: held[left] + 6}).require_back_at(USAGE)


def test_attackers_share_no_address_with_others() -> None:
    addresses = [address(number, 10) for number in range(5000)]
    assert len(set(addresses)) == 500
    assert not {HOST, ADDRESS} & set(addresses)
