"""Every script does the same when it is run again: its reply may have been lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis as Client

import mcp_transport.stores.redis.lua
from mcp_transport.stores.redis.connection import Commands, Place

LUA = Path(mcp_transport.stores.redis.lua.__path__[0])
NAMES = {path.stem for path in LUA.glob("*.lua")} - {"prelude"}
IDLE_MS = 60_000

Call = tuple[str, list[Any]]

SESSION: list[Call] = [
    ("add", ["s", "me", 2, IDLE_MS, "phase", "ready", "revision", "r"]),
]
STREAM: list[Call] = [
    *SESSION,
    ("write", ["s", "q", "e1", IDLE_MS, "p1", "1", '"two"']),
    ("read", ["s", "q", "e1", 0, "", IDLE_MS, "reader", "p2", 10_000]),
]


def append(before: int, *messages: str, settled: tuple[str, ...] = ()) -> Call:
    bounds = ["s", "q", "e1", "p1", before, 3, 1000, IDLE_MS]
    return "append", [*bounds, len(settled), *settled, *messages]


# What came before, and the call that is made twice.
TWICE: list[tuple[list[Call], Call]] = [
    ([], SESSION[0]),
    (
        [*SESSION, ("add", ["t", "me", 2, IDLE_MS, "phase", "new"])],
        ("add", ["u", "me", 2, IDLE_MS, "phase", "new"]),
    ),
    (SESSION, ("get", ["s", "me", IDLE_MS, 10**9, "0", 3, "token", "1", "2", "3"])),
    (SESSION, ("save", ["s", IDLE_MS, 2, 1, "phase", "new", "a:b", "c:d"])),
    (STREAM, ("remove", ["s"])),
    (SESSION, STREAM[1]),
    (STREAM[:2], STREAM[2]),
    (STREAM, append(0, "a", "b")),
    ([*STREAM, append(0, "a")], append(1, "b", settled=("1",))),
    (STREAM, append(0, "a", "b", "c", "d")),
    ([*STREAM, append(0, "a")], ("close", ["s", "q", "e1", "p1", 1000, 9000])),
    ([*STREAM, append(0, "a")], ("next", ["s", "q", "e1", "reader", 0, 9000, 10])),
    ([*STREAM, append(0, "a")], ("next", ["s", "q", "e1", "reader", 1, 9000, 10])),
    (STREAM, ("leave", ["s", "q", "reader"])),
    (STREAM, ("held", ["s", "q"])),
    (STREAM, ("bury", ["s", "q", "<", ">", 10, 1000, 500, 9000, "p1"])),
    ([], ("signal", ["token", "p1", "said", 60_000, 1])),
    ([], ("signal", ["token", "p1", "said", 60_000, 0])),
    (
        SESSION,
        ("tell", [1, "m", "0", "e", IDLE_MS, 10, 1000, "ready", "sessions", "s", "x"]),
    ),
    ([("signal", ["token", "p1", "said", 60_000, 1])], ("told", [1])),
    ([("signal", ["token", "p1", "said", 60_000, 1])], ("untold", [])),
    (SESSION, ("index", ["sessions"])),
    (SESSION, ("count", [IDLE_MS])),
    ([], ("open", ["p1", "said", 60_000])),
    ([("open", ["p1", "said", 60_000])], ("open", ["p1", "", 60_000])),
    ([("open", ["p1", "said", 60_000])], ("opened", [])),
    (SESSION, ("seen", [10, IDLE_MS, 10**9])),
    ([], ("pulse", ["p1", 20_000, 60_000, "", 10])),
]

# What changes nothing, or not each time.
LOOKING = {"count", "held", "index", "next", "get", "read", "untold", "opened", "seen"}

# When a script is run may not matter.
MOMENTS = {"created", "read_until"}


async def kept(client: Client, prefix: str) -> dict[str, Any]:
    """Return all that is kept, but for the moments at which it was, and for what
    is to be looked at: to look once more is no matter.
    """
    found: dict[str, Any] = {}
    names: list[Any] = await client.keys(f"{prefix}:*")
    for name in sorted(name for name in names if b":dirty:" not in name):
        kind: Any = await client.type(name)
        if kind == b"hash":
            value: Any = await client.hgetall(name)
            for moment in MOMENTS:
                value.pop(moment.encode(), None)
        elif kind == b"zset":
            value = sorted(await client.zrange(name, 0, -1))
        elif kind == b"set":
            value = sorted(await client.smembers(name))
        elif kind == b"list":
            value = await client.lrange(name, 0, -1)
        elif kind == b"stream":
            value = await client.xrange(name)
        else:
            value = await client.get(name)
        found[name.decode()] = value
    return found


async def test_each_script_may_be_run_again(url: str, client: Client) -> None:
    for number, (before, call) in enumerate(TWICE):
        place = Place.of(f"{url}-{number}")
        commands = Commands(place)
        for name, args in before:
            await commands.run(name, *args, patience_s=5)
        untouched = await kept(client, place.prefix)
        first = await commands.run(call[0], *call[1], patience_s=5)
        once = await kept(client, place.prefix)
        second = await commands.run(call[0], *call[1], patience_s=5)
        assert await kept(client, place.prefix) == once, call
        if call[0] not in {
            "get",
            "pulse",
            "bury",
            "next",
            "leave",
            "close",
            "read",
            "told",
        }:
            assert second == first, call
        if call[0] not in LOOKING:
            assert once != untouched, call
        await commands.close()


def test_no_script_was_forgotten() -> None:
    assert {call[0] for _, call in TWICE} == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_script_says_what_it_does_and_takes(name: str) -> None:
    first = (LUA / f"{name}.lua").read_text().splitlines()[0]
    assert first.startswith("-- ")
