"""T21: nobody gets at what is another's, by any method at any door."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from django.test import override_settings

from mcp_transport.conf import get_server
from mcp_transport.engine.threads import Threads
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import PLAIN
from tests.faults.verdict import Failed, require
from tests.interaction.matrix import (
    ALL_REVISIONS,
    DOORS,
    IN_PROCESS,
    STDIO,
    WEBSOCKET,
    Door,
)
from tests.interaction.wires import WIRES
from tests.interaction.wires.plain import PlainWire
from tests.interaction.wires.stdio import Forks
from tests.interaction.wires.wire import STEP_S, Place, Wire
from tests.security.project import Project, project
from tests.security.sockets import closed_unheard, opening, tickets
from tests.security.table import rows
from tests.security.things import Owner, Things
from tests.security.visitors import VISITORS, Talk, Visit, Visitor
from tests.wire import tokens

WITHIN_S = 60
# Nobody is let in from elsewhere, and anybody from this very machine.
CONF = {"ALLOW_ANONYMOUS": True}
IN_THIS_PROCESS = {
    "CATALOGUE": "tests.security.served.catalogue.shelf",
    "AUTHENTICATORS": ["tests.wire.tokens.KnownTokens"],
    "PAGE_SIZE": 2,
}

Scene = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Size:
    """Which door in which revision, of one process with its store in memory and of
    two before a Redis.
    """

    one: Sequence[Scene]
    two: Sequence[Scene]


def _every() -> Iterator[Scene]:
    for door in DOORS:
        for name, revision in ALL_REVISIONS.items():
            if door.absence(revision) is None:
                yield door.name, name


EVERY = tuple(_every())
SMALL = Size(
    one=[
        ("in-process", "2025-11-25"),
        ("websocket", "2025-11-25"),
        ("lean", "2025-03-26"),
        ("lean", "2026-07-28"),
        ("plain", PLAIN.name),
    ],
    two=[
        ("stdio", "2025-11-25"),
        ("urls", "2025-11-25"),
        ("sse", "2024-11-05"),
    ],
)
FULL = Size(one=EVERY, two=[scene for scene in EVERY if scene[0] != "in-process"])


async def run(size: Size, directory: Path) -> str:
    counted = []
    for processes, scenes in ((1, size.one), (2, size.two)):
        where = directory / f"processes-{processes}"
        async with project(where, processes, CONF) as served:
            with forks(served, where / "forks.log") as forked:
                numbers = range(1, len(scenes) + 1)
                counted += [
                    await _play(served, forked, scene, number, where)
                    for number, scene in zip(numbers, scenes, strict=True)
                ]
    cells, heard = map(sum, zip(*counted, strict=True))
    return (
        f"{len(VISITORS)} visitors at {len(counted)} scenes (door, revision, store): "
        f"{cells} cells, each answered as tabled and as if nothing were there, and "
        f"everything of the owner's as she left it; her secret is nowhere in the "
        f"{heard} bytes that they heard"
    )


@contextmanager
def forks(served: Project, log: Path) -> Iterator[Forks]:
    """Give the process that is forked for each client of standard input."""
    with ExitStack() as stack:
        output = stack.enter_context(log.open("wb"))
        forked = Forks({**served.environ, "PATH": os.environ["PATH"]}, output)
        stack.callback(forked.close)
        yield forked


async def _play(
    served: Project, forked: Forks, scene: Scene, number: int, directory: Path
) -> tuple[int, int]:
    """Return how many cells were tried, and how many bytes were heard of them."""
    (door,) = [door for door in DOORS if door.name == scene[0]]
    revision = ALL_REVISIONS[scene[1]]
    stage = Stage(served, forked, door, revision, number)
    try:
        async with asyncio.timeout(WITHIN_S):
            with stage.set_here():
                return await stage.play(directory / f"until-{number}")
    except (Failed, TimeoutError) as error:
        of = f"{door.name}, {revision.name}, {len(served.members)} processes"
        raise Failed(f"{of}: {error or 'it hangs'}") from error


class Stage:
    """One door in one revision; the network address of each visitor has ``number``
    in it.
    """

    def __init__(
        self,
        served: Project,
        forked: Forks,
        door: Door,
        revision: Revision,
        number: int,
    ) -> None:
        self._served = served
        self._forked = forked
        self._door = door
        self._revision = revision
        self._number = number
        self._talks: list[Talk] = []
        self._visits: list[Visit] = []
        self._nobodies = 0

    @contextmanager
    def set_here(self) -> Iterator[None]:
        """The settings of the project, for what is served in this process."""
        if self._door is not IN_PROCESS:
            yield
            return
        with override_settings(MCP=IN_THIS_PROCESS):
            yield
            run_sync = get_server().run_sync
            assert isinstance(run_sync, Threads)
            run_sync.close()

    async def play(self, until: Path) -> tuple[int, int]:
        secret = f"secret-{secrets.token_hex(16)}"
        async with AsyncExitStack() as stack:
            owner = Owner(self._wire("alice"), self._revision, secret, until)
            stack.push_async_callback(owner.close)
            theirs = await owner.begin()
            for visitor in VISITORS:
                await self._enter(visitor, theirs, stack)
            if self._door is WEBSOCKET:
                self._nobodies += await tickets(self._served, self._address(0))
            await asyncio.gather(*(talk.tries_all(theirs) for talk in self._talks))
            await self._try_all(theirs, is_end=False)
            await owner.finds_all()
            await self._try_all(theirs, is_end=True)
            await owner.finds_streams()
        everyone: list[Talk | Visit] = [*self._talks, *self._visits]
        heard = b"".join(bytes(one.heard) for one in everyone)
        known = [thing for thing in theirs.private if thing.encode() in heard]
        require(not known, f"others have heard {known}")
        return sum(one.cells for one in everyone) + self._nobodies, len(heard)

    async def _enter(
        self, visitor: Visitor, theirs: Things, stack: AsyncExitStack
    ) -> None:
        """Begin a conversation of their own, where they may have one."""
        if not self._lets_in(visitor):
            return
        mine = theirs
        if visitor.is_known:
            wire = self._wire(visitor.token)
            if isinstance(wire, PlainWire):
                wire.name = theirs.session
            talk = Talk(visitor, wire, self._revision)
            stack.push_async_callback(talk.close)
            mine = await talk.begin()
            self._talks.append(talk)
        elif not self._door.posts:
            await self._turn_away(visitor)
        if self._door.posts:
            visit = Visit(
                visitor, self._token(visitor.token), *self._from(visitor), mine
            )
            stack.push_async_callback(visit.close)
            self._visits.append(visit)

    def _lets_in(self, visitor: Visitor) -> bool:
        """Tell whether somebody of that kind can come to this door."""
        if self._door is IN_PROCESS:
            return visitor.token == "bob"
        return self._door is not STDIO or visitor.token is not None

    async def _turn_away(self, visitor: Visitor) -> None:
        """Raises Failed unless nobody hears nothing at a connection of their own."""
        self._nobodies += 1
        token = self._token(visitor.token)
        if self._door is WEBSOCKET:
            _, address = self._from(visitor)
            port = self._served.members[-1].port
            socket = opening(port, address, token=token, host=visitor.host)
            await closed_unheard(visitor.name, socket)
            return
        ours, report = self._forked.fork(token)
        with ours, report:
            ours.settimeout(STEP_S)
            said = await asyncio.to_thread(ours.recv, 1)
            require(said == b"", f"{visitor.name} heard something by stdio")

    async def _try_all(self, theirs: Things, *, is_end: bool) -> None:
        if not self._door.posts:
            return
        chosen = [
            row for row in rows(self._door.name, self._revision) if row.is_end is is_end
        ]

        async def one_by_one(visit: Visit) -> None:
            for row in chosen:
                await visit.tries(row, theirs)

        await asyncio.gather(*map(one_by_one, self._visits))

    # Where they come from, and by which token.

    def _from(self, visitor: Visitor) -> tuple[str, str]:
        """Return the server that one turns to, and from which address."""
        address = self._address(VISITORS.index(visitor) + 1)
        return self._served.origins[-1], address

    def _address(self, last: int) -> str:
        """Return an address of loopback that no other stage uses: failures are
        counted by address.
        """
        return f"127.1.{self._number}.{last + 1}"

    def _token(self, name: str | None) -> str:
        if self._door is IN_PROCESS:
            return {"alice": tokens.ALICE, "bob": tokens.BOB}[name or ""]
        return self._served.tokens[name] if name else ""

    def _wire(self, name: str | None) -> Wire:
        place = Place(revision=self._revision, token=self._token(name))
        if self._door is STDIO:
            place = replace(place, forks=self._forked)
        elif self._door is WEBSOCKET:
            # The owner at the first of them, the others at the last.
            which = 0 if name == "alice" else -1
            place = replace(place, origins=(self._served.origins[which],))
        elif self._door is not IN_PROCESS:
            place = replace(place, origins=self._served.origins)
        return WIRES[self._door.name](place)
