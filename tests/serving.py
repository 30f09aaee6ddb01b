"""Real servers for the tests: stock daphne, ``manage.py mcp serve``, Redis and
nginx, each a process.

What a fault test does to one it does by its methods: ``kill``, ``restart``,
``pause`` and ``resume``. All of them keep the port, and Redis its data.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from deploy.servers import (
    HOST,
    ROOT,
    Daphne,
    McpServe,
    Nginx,
    Redis,
    Served,
    free_port,
    running,
)

__all__ = [
    "HOST",
    "ROOT",
    "Redis",
    "Served",
    "daphne",
    "daphnes",
    "free_port",
    "mcp_serve",
    "mcp_serves",
    "nginx",
    "redis_server",
]

# What mcp_serve runs with unless its caller says otherwise.
SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.settings"}


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
def mcp_serve(
    application: str,
    log: Path,
    *,
    python: Path = Path(sys.executable),
    cwd: Path = ROOT,
    environ: Mapping[str, str],
    options: Sequence[str] = (),
) -> Iterator[Served]:
    """Do the same by ``manage.py mcp serve``, with ``options`` of its own."""
    served = McpServe(
        application,
        free_port(),
        log,
        environ={**_surroundings(), **SETTINGS, **environ},
        python=python,
        cwd=cwd,
        options=options,
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
    served = _several(Daphne, count, application, directory, environ, options)
    with running(served):
        yield served


@contextlib.contextmanager
def mcp_serves(
    count: int,
    application: str,
    directory: Path,
    *,
    environ: Mapping[str, str],
    options: Sequence[str] = (),
) -> Iterator[list[Served]]:
    """Do the same by ``manage.py mcp serve``; their logs are ``mcpserve-N.log``."""
    served = _several(
        McpServe, count, application, directory, {**SETTINGS, **environ}, options
    )
    with running(served):
        yield served


def _several(
    server: type[Daphne],
    count: int,
    application: str,
    directory: Path,
    environ: Mapping[str, str],
    options: Sequence[str],
) -> list[Served]:
    return [
        server(
            application,
            free_port(),
            directory / f"{server.__name__.lower()}-{index}.log",
            environ={**_surroundings(), **environ},
            options=options,
        )
        for index in range(count)
    ]


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
