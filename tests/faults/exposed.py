"""One server, out in the open."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.servers import Served
from tests.faults.verdict import require
from tests.serving import daphne, mcp_serve, nginx

APPLICATION = "tests.faults.served.alone:application"
TRACEBACK = "Traceback (most recent call last)"


@contextmanager
def exposed(directory: Path) -> Iterator[Served]:
    """Serve by our own runner, with its files in ``directory``, which is made.

    Raises Failed if it fails meanwhile.
    """
    make(directory)
    log = directory / "served.log"
    with mcp_serve(APPLICATION, log, environ=environment(directory)) as served:
        yield served
        require_sound(served)


@contextmanager
def behind_nginx(directory: Path) -> Iterator[tuple[Served, Served]]:
    """Serve by stock daphne behind nginx, as ``exposed`` does: give nginx, and
    daphne.
    """
    make(directory)
    log = directory / "daphne.log"
    with (
        daphne(APPLICATION, log, environ=environment(directory)) as served,
        nginx([served], directory) as proxy,
    ):
        yield proxy, served
        require_sound(served)


def require_sound(served: Served) -> None:
    """Raises Failed for a server that has ended, or has failed at something."""
    require(served.process.poll() is None, f"{served} has ended")
    said = served.said()
    require(
        TRACEBACK not in said, f"{served} says {said[said.find(TRACEBACK) :][:600]}"
    )


def environment(directory: Path) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "tests.faults.served.settings",
        "FAULTS_JOURNAL": str(directory / "effects.jsonl"),
        "FAULTS_STORE": "memory",
    }


def make(directory: Path) -> None:
    directory.mkdir(parents=True)
    # Of us and of the servers that we start: a connection is one here and one there.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
