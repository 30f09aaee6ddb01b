"""Runs each behaviour in every cell that the table gives it."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from mcp_transport.conf import get_server
from mcp_transport.engine.threads import Threads
from tests.interaction.guest import BOUND_S, Guest, Mark
from tests.interaction.matrix import (
    ALL_REVISIONS,
    DEPLOYMENTS,
    DOORS,
    IN_PROCESS,
    ONE,
    STDIO,
    TABLE,
    Cell,
    Deployment,
    cells,
    places,
)
from tests.interaction.served.settings import MCP
from tests.interaction.wires import WIRES
from tests.interaction.wires.stdio import Forks
from tests.interaction.wires.wire import Place, Wire
from tests.serving import Served, daphne, daphnes, redis_server
from tests.wire.tokens import ALICE

SETTINGS = "tests.interaction.served.settings"
APPLICATION = "tests.interaction.served.asgi:application"

Connect = Callable[..., AbstractAsyncContextManager[Guest]]
Wired = Callable[..., AbstractAsyncContextManager[Wire]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of ``test_X.py`` that takes a cell is run in all those of X."""
    if "cell" in metafunc.fixturenames:
        behaviour = metafunc.module.__name__.rpartition(".test_")[2]
        metafunc.parametrize("cell", cells(behaviour), ids=str)


class Servers:
    """The servers of each deployment, started when they are first needed, and the
    process that is forked for each client of standard input and output.
    """

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self._directory = directory
        self._stack = stack
        self._running: dict[Deployment, list[Served]] = {}
        self._forks: Forks | None = None
        self._forks_log = directory / "forks.log"

    def origins(self, deployment: Deployment) -> tuple[str, ...]:
        if deployment not in self._running:
            start = self._one if deployment is ONE else self._several
            self._running[deployment] = start(deployment)
        return tuple(served.origin for served in self._running[deployment])

    def _one(self, deployment: Deployment) -> list[Served]:
        """Serve from one process, with the store in its memory."""
        log = self._directory / "one.log"
        environ = {"DJANGO_SETTINGS_MODULE": SETTINGS}
        return [self._stack.enter_context(daphne(APPLICATION, log, environ=environ))]

    def _several(self, deployment: Deployment) -> list[Served]:
        """Serve from several processes, with the store in a Redis of their own."""
        redis = self._stack.enter_context(redis_server(self._directory))
        environ = {"DJANGO_SETTINGS_MODULE": SETTINGS, "INTERACTION_STORE": redis.url}
        return self._stack.enter_context(
            daphnes(deployment.processes, APPLICATION, self._directory, environ=environ)
        )

    def forks(self) -> Forks:
        if self._forks is None:
            log = self._stack.enter_context(self._forks_log.open("wb"))
            environ = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": SETTINGS}
            self._forks = Forks(environ, log)
            self._stack.callback(self._forks.close)
        return self._forks

    def said(self) -> str:
        """Return all that was logged by any of them."""
        logs = [one.log for running in self._running.values() for one in running]
        if self._forks is not None:
            logs.append(self._forks_log)
        return "".join(log.read_text(encoding="utf-8") for log in logs)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Nothing that the matrix does may leave a traceback that was not asked for."""
    with ExitStack() as stack:
        running = Servers(tmp_path_factory.mktemp("interaction"), stack)
        yield running
        said = running.said()
    foreseen = said.count("Unforeseen: the password is swordfish")
    assert said.count("Traceback") == foreseen, said


@pytest.fixture
def served_here(cell: Cell) -> Iterator[None]:
    """The settings of the served project, for what is served in this process."""
    if cell.door is not IN_PROCESS:
        yield
        return
    with override_settings(MCP=MCP):
        yield
        run_sync = get_server().run_sync
        assert isinstance(run_sync, Threads)
        run_sync.close()


@pytest.fixture
def wired(cell: Cell, served_here: None, servers: Servers) -> Wired:
    """Open a wire to the cell's door, as ``alice`` or with another token."""

    @asynccontextmanager
    async def opened(token: str = ALICE) -> AsyncIterator[Wire]:
        place = Place(revision=cell.revision, token=token)
        if cell.door is STDIO:
            place = replace(place, forks=servers.forks())
        elif cell.door is not IN_PROCESS:
            place = replace(place, origins=servers.origins(cell.deployment))
        async with asyncio.timeout(BOUND_S):
            yield WIRES[cell.door.name](place)

    return opened


@pytest.fixture
def connect(cell: Cell, wired: Wired) -> Connect:
    """Connect a client over the cell's door; options are those of Client."""

    @asynccontextmanager
    async def connected(token: str = ALICE, **options: Any) -> AsyncIterator[Guest]:
        async with wired(token) as wire:
            guest = Guest(wire, cell.revision, **options)
            try:
                await guest.start()
                yield guest
            finally:
                await guest.close()

    return connected


@pytest.fixture
def new_mark(tmp_path: Path) -> Callable[[], Mark]:
    """Make a mark that no other call has."""
    numbers = count(1)
    return lambda: Mark(tmp_path / f"mark-{next(numbers)}")


@pytest.fixture
def mark(new_mark: Callable[[], Mark]) -> Mark:
    return new_mark()


# What a run says at its end.

RAN = pytest.StashKey[set[Cell]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RAN] = set()


def pytest_runtest_call(item: pytest.Item) -> None:
    cell = getattr(item, "funcargs", {}).get("cell")
    if cell is not None:
        item.config.stash[RAN].add(cell)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how large the matrix is, what of it was run, and why the rest is not."""
    every = [place for behaviour in TABLE for place in places(behaviour)]
    reasons = Counter(_in_general(reason) for _, reason in every if reason)
    size = (
        f"{len(TABLE)} behaviours x {len(DOORS)} doors x {len(ALL_REVISIONS)} "
        f"revisions x {len(DEPLOYMENTS)} deployments = {len(every)} places"
    )
    there = len(every) - reasons.total()
    terminalreporter.section("interaction")
    terminalreporter.write_line(
        f"{size}: {there} cells, of which {len(config.stash[RAN])} were run, "
        f"and {reasons.total()} places without one:"
    )
    for reason, times in reasons.most_common():
        terminalreporter.write_line(f"{times:5}  {reason}")


def _in_general(reason: str) -> str:
    """Leave out which door or revision it is that a reason begins with."""
    subject, _, said = reason.partition(" ")
    names = {*ALL_REVISIONS, *(door.name for door in DOORS)}
    return f"... {said}" if subject in names else reason
