"""Real servers for the tests: stock daphne, Redis and nginx, each a process.

What a fault test does to one it does by its methods: ``kill``, ``restart``,
``pause`` and ``resume``. All of them keep the port, and Redis its data.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from deploy.servers import HOST, ROOT, Daphne, Nginx, Redis, Served, free_port, running

__all__ = [
    "HOST",
    "ROOT",
    "Redis",
    "Served",
    "daphne",
    "daphnes",
    "free_port",
    "nginx",
    "redis_server",
]


@contextlib.contextmanager
def daphne(
    application: str,
    log: Path,
    *,
    python: Path = Path(sys.executable),
    cwd: Path = ROOT,
    environ: Mapping[str, str],
) -> Iterator[Served]:
    """Serve an ASGI application by its dotted path on a free port of 127.0.0.1.

    The application finds its port in the environment variable ``PORT``. Raises
    RuntimeError with the server's output if it does not start.
    """
    served = Daphne(
        application,
        free_port(),
        log,
        environ={**_surroundings(), **environ},
        python=python,
        cwd=cwd,
    )
    with running([served]):
        yield served


@contextlib.contextmanager
def daphnes(
    count: int,
    application: str,
    directory: Path,
    *,
    environ: Mapping[str, str],
    options: Sequence[str] = (),
) -> Iterator[list[Served]]:
    """Serve one application by several processes, all in one environment.

    Each has a port and a log (``daphne-0.log`` and on) of its own. ``options``
    are daphne's, such as ``--proxy-headers``.
    """
    served = [
        Daphne(
            application,
            free_port(),
            directory / f"daphne-{index}.log",
            environ={**_surroundings(), **environ},
            options=options,
        )
        for index in range(count)
    ]
    with running(served):
        yield list(served)


@contextlib.contextmanager
def redis_server(directory: Path) -> Iterator[Redis]:
    """Run a Redis of our own, with deploy/redis.conf, that keeps its data there."""
    server = Redis(free_port(), directory)
    with running([server]):
        yield server


@contextlib.contextmanager
def nginx(
    upstreams: Sequence[Served], directory: Path, port: int | None = None
) -> Iterator[Nginx]:
    """Put nginx before ``upstreams``, by the rules of deploy/, over plain HTTP.

    Its files are in ``directory``. Without ``port`` it takes a free one; who has to
    tell the applications of it first takes it by ``free_port``.
    """
    server = Nginx(port or free_port(), directory, upstreams)
    with running([server]):
        yield server


def _surroundings() -> dict[str, str]:
    """Return the environment without the settings that these tests run under."""
    return {k: v for k, v in os.environ.items() if not k.startswith("DJANGO_")}
