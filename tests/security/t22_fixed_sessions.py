"""T22: session ids are the server's to make, and sessions are few and mortal."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.faults.verdict import require
from tests.security.client import Client, is_gone
from tests.security.project import Project, project
from tests.websocket.client import opened

IDLE_S = 8
MAX_SESSIONS = 50
CONF = {"SESSION_IDLE_S": IDLE_S, "MAX_SESSIONS": MAX_SESSIONS}
# Every how many-th session also subscribes, to a note of its own.
SUBSCRIBES = 10
AT_ONCE = 8
TIMES = 20
FREED_WITHIN_S = 60
LOOK_AGAIN_S = 0.5
# What may be more in use afterwards: caches of the process, and freed memory that
# it keeps.
MAX_GROWTH_BYTES = 50_000_000


@dataclass(frozen=True, kw_only=True)
class Size:
    """One token opens so many ``sessions``, at each store."""

    sessions: int


SMALL = Size(sessions=300)
FULL = Size(sessions=10_000)


async def run(size: Size, directory: Path) -> str:
    async with asyncio.TaskGroup() as group:
        stores = [
            group.create_task(_store(processes, size, directory / store), name=store)
            for processes, store in ((1, "memory"), (2, "Redis"))
        ]
    said = "; ".join(f"{store.get_name()}: {store.result()}" for store in stores)
    return (
        f"{size.sessions} sessions by one token: the {MAX_SESSIONS} newest lived, "
        f"and {IDLE_S} s later none; {TIMES} calls, each sent by two clients of "
        f"one session, ran once; an ended session was gone for all; {said}"
    )


async def _store(processes: int, size: Size, directory: Path) -> str:
    """Return what was tried at one store, and what is left there."""
    async with (
        project(directory, processes, CONF) as served,
        clients(served) as (here, there),
    ):
        chosen = await _chosen(served, here)
        await _two_on_one(here, there)
        await _ended(here, there)
        before = await here.kept()
        await _crowd(served, size.sessions)
        left = await _freed(served)
        grown = (await here.kept())["bytes"] - before["bytes"]
        require(grown <= MAX_GROWTH_BYTES, f"{grown} bytes more are in use")
    return (
        f"{chosen} attempts with ids of a client's making refused, {left}, "
        f"{grown / 1e6:+.1f} MB resident"
    )


@asynccontextmanager
async def clients(served: Project) -> AsyncIterator[tuple[Client, Client]]:
    """Two clients of alice's: at the first process, and at the last."""
    first, last = served.members[0], served.members[-1]
    async with (
        Client(first, served.tokens["alice"]) as here,
        Client(last, served.tokens["alice"]) as there,
    ):
        yield here, there


# Ids of the client's making.


def ids(known: str, plain: str) -> list[str]:
    """Return ids that the server has not made: some are near one that it did, or
    near the names by which Redis knows what belongs to a session.
    """
    parts = ["streams", "subscribed", "claims", "claimed", "state:0", "log:0"]
    return [
        "A" * 32,
        "00000000-0000-4000-8000-000000000000",
        secrets.token_urlsafe(24),
        known.swapcase(),
        known[:-1],
        f"{known}A",
        f"{known},{known}",
        f"{known}%00",
        *(f"{known}:{part}" for part in parts),
        plain,
        "a" * 5000,
        "*",
        "../sessions",
        "%ff%fe",
        "None",
    ]


async def _chosen(served: Project, client: Client) -> int:
    """Return how many attempts were refused. Raises Failed for one that was not."""
    known, name = await client.open(), "mine"
    await client.subscribe(known, "note://chosen")
    named = await client.post({"X-Session-ID": name}, "ping")
    require(named.status_code == 200, f"the plain dialect: {named.text}")
    public_id = served.tokens["alice"].split("_")[1]
    subject = f"token:{public_id}"
    plain = hashlib.sha256(f"{subject}\0{name}".encode()).hexdigest()
    tried = 0
    for chosen in ids(known, plain):
        for path in ("/mcp", "/urls/mcp"):
            made = await client.begin(path, chosen)
            require(made != chosen, f"initialize took {chosen!r}")
            for verb in ("POST", "GET", "DELETE"):
                reply = await client.of_session(verb, chosen, path=path)
                require(is_gone(reply), f"{verb} {path} {chosen!r}: {reply}")
                tried += 1
        for mount in ("", "/urls"):
            reply = await client.message(f"{mount}/message?sessionId={quote(chosen)}")
            require(is_gone(reply), f"{mount}/message {chosen!r}: {reply}")
            endpoint = await client.endpoint(f"{mount}/sse", chosen)
            require(quote(chosen) not in endpoint, f"/sse took {chosen!r}")
            tried += 2
        alive = await client.of_session("POST", known)
        require(alive.status_code == 200, f"the session itself: {alive.text}")
    await _chosen_by_socket(served, client)
    return tried


async def _chosen_by_socket(served: Project, client: Client) -> None:
    """A connection is its session: what its handshake says of one means nothing."""
    chosen = "B" * 32
    headers = {**client.credential, "Mcp-Session-Id": chosen}
    async with opened(served.members[0], headers=headers) as socket:
        await socket.send(client.handshake.decode())
        require(chosen not in str(await socket.recv()), "a WebSocket took an id")
        require(is_gone(await client.of_session("POST", chosen)), "a socket's id lives")


# Two clients on one id.


async def _two_on_one(here: Client, there: Client) -> None:
    """The stream of a session is its first reader's, and each call runs once."""
    session = await here.open()
    async with here.stream(session) as stream:
        await here.subscribe(session, "note://two")
        second = await there.of_session("GET", session)
        require(second.status_code == 409, f"a second stream: {second}")
        for number in range(TIMES):
            replies = await asyncio.gather(
                here.call(session, number, "touch", uri="note://two"),
                there.call(session, number, "touch", uri="note://two"),
            )
            refused = [reply for reply in replies if "error" in reply.json()]
            require(len(refused) == 1, f"call {number}: {[r.text for r in replies]}")
        told = [await stream.hears("note://two") for _ in range(TIMES)]
        require(all(told), "the first reader of a stream has lost it")


async def _ended(here: Client, there: Client) -> None:
    """Whoever ends a session ends it for all, and its stream with it."""
    session = await here.open()
    async with here.stream(session) as stream:
        event_id = await stream.event_id()
        ended = await there.of_session("DELETE", session)
        require(ended.status_code == 204, f"DELETE: {ended}")
        await stream.ends()
    for client in (here, there):
        for verb in ("POST", "GET", "DELETE"):
            for last in (None, event_id):
                reply = await client.of_session(verb, session, last=last)
                require(is_gone(reply), f"{verb} behind DELETE: {reply}")


# A crowd.


async def _crowd(served: Project, count: int) -> None:
    """Open sessions by one token, many more than it may have."""
    async with (
        clients(served) as both,
        Client(served.members[0], served.tokens["bob"]) as bob,
    ):
        spared = await bob.open()
        numbers = iter(range(count))
        made: list[str] = []

        async def open_some(client: Client) -> None:
            for number in numbers:
                session = await client.begin()
                made.append(session)
                if number % SUBSCRIBES == 0:
                    await client.subscribe(session, f"note://{number}")
                if number % MAX_SESSIONS == 0:
                    await bob.of_session("POST", spared)

        await asyncio.gather(*(open_some(both[n % 2]) for n in range(AT_ONCE)))
        require(len(set(made)) == count, "an id was given twice")
        alive = await bob.of_session("POST", spared)
        require(alive.status_code == 200, "another's session made room")
        await _newest_live(both[0], made)
    await _few(served)


async def _newest_live(client: Client, made: Sequence[str]) -> None:
    """Raises Failed unless as many live as may, and these are the newest."""
    newest_first = made[::-1]
    asked = [*newest_first[: 2 * MAX_SESSIONS], *made[: MAX_SESSIONS // 2]]
    # All at once: they would expire one by one before a machine that is busy.
    replies = await asyncio.gather(*(client.of_session("POST", id) for id in asked))
    alive = [reply.status_code == 200 for reply in replies]
    require(sum(alive) == MAX_SESSIONS, f"{sum(alive)} sessions live")
    # Those that were opened at the same time may go in any order.
    require(not any(alive[MAX_SESSIONS + AT_ONCE :]), "an older session lives")


def _of_sessions(keys: Sequence[str]) -> list[str]:
    """Return the names of keys that are there for the sake of some session."""
    kinds = ("session", "sessions", "subscribed", "caller")
    return [key for key in keys if key.split(":")[1] in kinds]


async def _few(served: Project) -> None:
    """Raises Failed if more is kept than the sessions that live: those of the crowd,
    and one of bob's.
    """
    most = MAX_SESSIONS + 1
    if served.server is None:
        (member,) = served.members
        async with Client(member, served.tokens["alice"]) as client:
            kept = (await client.kept())["sessions"]
        require(kept <= most, f"{kept} sessions are in memory")
        return
    keys = served.keys()
    hashes = [key for key in keys if key.startswith("mcp:session:")]
    sessions = {key.split(":")[2] for key in hashes}
    require(len(sessions) <= most, f"{len(sessions)} sessions are in Redis")
    indexed = [key for key in keys if key.startswith("mcp:subscribed:")]
    require(len(indexed) <= most, f"{len(indexed)} notes are subscribed to in Redis")


async def _freed(served: Project) -> str:
    """Wait until nothing is left of any session; return what else is."""
    async with asyncio.timeout(FREED_WITHIN_S), clients(served) as (client, _):
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            if served.server is not None:
                keys = served.keys()
                if not _of_sessions(keys):
                    return f"{len(keys)} keys left, none of a session"
                continue
            # What has expired goes with the next change, or the next session.
            await client.touch("note://nobody's")
            kept = await client.kept()
            if kept["sessions"] == kept["streams"] == 0:
                return "no session and no stream left"
