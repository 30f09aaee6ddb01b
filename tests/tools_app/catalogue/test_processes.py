"""A change in the admin on one process is seen by the clients of others."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from mcp_transport.protocol.revisions import REVISIONS
from tests.interaction.guest import BOUND_S, LOOK_AGAIN_S, Guest, method
from tests.interaction.wires import WIRES
from tests.interaction.wires.wire import Place
from tests.serving import ROOT, Served, daphnes, redis_server
from tests.wire.tokens import ALICE, BOB

APPLICATION = "tests.interaction.served.asgi:application"
CATALOGUES = "tests.tools_app.catalogue.served.catalogue"
CHANGED = method("notifications/tools/list_changed")
# One door of each kind: a session that any process can go on with, a socket that
# belongs to one process, and a revision that asks to be told.
LISTENERS = [("lean", "2025-11-25"), ("websocket", "2025-11-25"), ("lean", "")]


def environ(directory: Path, catalogue: str, **more: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "tests.tools_app.catalogue.served.settings",
        "SHOP_DATABASE": str(directory / "shop.sqlite3"),
        "SHOP_CATALOGUE": f"{CATALOGUES}.{catalogue}",
        **more,
    }


def manage(surroundings: Mapping[str, str], *arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "django", *arguments],
        cwd=ROOT,
        env={**os.environ, **surroundings},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def migrated(surroundings: dict[str, str]) -> dict[str, str]:
    manage(surroundings, "migrate", "--verbosity=0")
    return surroundings


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The surroundings of processes that have nothing but the bus to hear by."""
    directory = tmp_path_factory.mktemp("told")
    with redis_server(directory) as redis:
        yield migrated(environ(directory, "Told", SHOP_STORE=redis.url))


@pytest.fixture(scope="module")
def processes(
    told: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Served]]:
    directory = tmp_path_factory.mktemp("processes")
    with daphnes(4, APPLICATION, directory, environ=told) as served:
        yield served
        for process in served:
            assert "Traceback" not in process.said()


@asynccontextmanager
async def guest(
    process: Served, door: str = "lean", revision: str = "", token: str = ALICE
) -> AsyncIterator[Guest]:
    """Connect to one process, and begin to hear what changes."""
    spoken = REVISIONS[revision] if revision else [*REVISIONS.values()][-1]
    place = Place(revision=spoken, token=token, origins=(process.origin,))
    guest = Guest(WIRES[door](place), spoken)
    async with AsyncExitStack() as stack:
        await guest.start()
        stack.push_async_callback(guest.close)
        if not spoken.stateful:
            listening = guest.listen(toolsListChanged=True)
            queue = await stack.enter_async_context(listening)
            assert await queue.get() is not None
        yield guest


async def names(guest: Guest) -> set[str]:
    return {tool["name"] for tool in await guest.list_tools()}


async def sees(guest: Guest, name: str, listed: bool, times: int) -> None:
    """Wait until it is told, and look: it must be so by then."""
    await guest.hears(CHANGED, times)
    assert (name in await names(guest)) is listed


async def test_all_clients_are_told_and_see_it(processes: list[Served]) -> None:
    admin, *others = processes
    async with asyncio.timeout(BOUND_S * 3), AsyncExitStack() as stack:
        enter = stack.enter_async_context
        steering = await enter(guest(admin, token=BOB))
        listening = [
            await enter(guest(process, door, revision))
            for process in others
            for door, revision in LISTENERS
        ]
        for listener in listening:
            assert "slow" in await names(listener)
        for times, on in enumerate((False, True, False, True), start=1):
            await steering.text("switch", key="slow", on=on)
            await asyncio.gather(*(sees(one, "slow", on, times) for one in listening))
        for listener in listening:
            assert len(listener.heard(CHANGED)) == 4
            assert listener.heard(method("notifications/prompts/list_changed")) == []


async def test_who_only_calls_sees_it_too(processes: list[Served]) -> None:
    """And who listens to nothing is served by what the others changed."""
    admin, other, *_ = processes
    async with asyncio.timeout(BOUND_S), AsyncExitStack() as stack:
        steering = await stack.enter_async_context(guest(admin, token=BOB))
        place = Place(
            revision=[*REVISIONS.values()][-1], token=ALICE, origins=(other.origin,)
        )
        caller = Guest(WIRES["lean"](place), place.revision)
        await caller.start()
        stack.push_async_callback(caller.close)
        for on in (False, True):
            await steering.text("switch", key="count_orders", on=on)
            while ("count_orders" in await names(caller)) is not on:  # noqa: ASYNC110
                await asyncio.sleep(LOOK_AGAIN_S)


async def test_what_a_command_changes_is_told_as_well(
    told: dict[str, str], processes: list[Served]
) -> None:
    code = (
        "from tools_app.models import CatalogueEntry as E;"
        "E.objects.filter(key='route').update(title='The way')"
    )
    async with asyncio.timeout(BOUND_S * 3), guest(processes[1]) as listener:
        await asyncio.to_thread(manage, told, "shell", "--command", code)
        await listener.hears(CHANGED)
        (route,) = [t for t in await listener.list_tools() if t["name"] == "route"]
        assert route["title"] == "The way"


async def test_without_a_bus_it_is_seen_by_looking(tmp_path: Path) -> None:
    surroundings = migrated(environ(tmp_path, "Polled"))
    with daphnes(2, APPLICATION, tmp_path, environ=surroundings) as (admin, other):
        async with (
            asyncio.timeout(BOUND_S * 3),
            guest(admin, token=BOB) as steering,
            guest(other, "lean", "2025-11-25") as session,
            guest(other, "websocket", "2025-11-25") as socket,
            guest(other) as stateless,
        ):
            listening = (session, socket, stateless)
            for listener in listening:
                assert "slow" in await names(listener)
            await steering.text("switch", key="slow", on=False)
            await asyncio.gather(*(sees(one, "slow", False, 1) for one in listening))
        for process in (admin, other):
            assert "Traceback" not in process.said()
