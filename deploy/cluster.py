"""The site as several processes on this machine: ``python -m deploy.cluster N``.

A Redis of its own, N processes of ``manage.py mcp serve``, and nginx on loopback
at ``$PORT``.
The database is the site's, and all else is in ``cluster`` beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from deploy.servers import (
    ROOT,
    McpServe,
    Nginx,
    Redis,
    free_port,
    is_free,
    running,
)

APPLICATION = "mcpsite.asgi.application"
# As in mcp@.service: calls may go on for so long when a process is to end.
OPTIONS = ("--grace=20",)
SET_UP_S = 120.0
MOST = 32


class Refused(Exception):
    """Why the cluster cannot be started, in a sentence."""


@contextlib.contextmanager
def cluster(count: int, port: int, directory: Path) -> Iterator[Nginx]:
    """Run the site by ``count`` processes, with their files in ``directory``.

    Raises Refused if a cluster runs there already or the port is taken, and
    RuntimeError if something does not start.
    """
    with _owned(directory):
        if not is_free(port):
            raise Refused(f"port {port} is taken; set PORT to another.")
        redis = Redis(free_port(), directory)
        environ = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "mcpsite.settings",
            "PORT": str(port),
            "MCP_STORE": redis.url,
            "MCP_TRUSTED_PROXIES": "1",
        }
        sites = [
            McpServe(
                APPLICATION,
                free_port(),
                directory / f"serve-{number}.log",
                environ=environ,
                options=OPTIONS,
            )
            for number in range(1, count + 1)
        ]
        front = Nginx(port, directory, sites)
        with running([redis]):
            # What it makes it tells by Redis.
            _set_up(environ)
            with running(sites), running([front]):
                for process in (redis, *sites, front):
                    print(f"{process}, pid {process.pid}, {process.log}")
                yield front


@contextlib.contextmanager
def _owned(directory: Path) -> Iterator[None]:
    """Keep a directory to ourselves: two Redis would ruin each other's files."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(
                f"a cluster runs in {directory} already; stop it, or set "
                "MCPSITE_VAR_DIR to another directory."
            ) from None
        yield


def _set_up(environ: dict[str, str]) -> None:
    """Migrate, and on the first start make and show the credentials."""
    command = [sys.executable, str(ROOT / "manage.py"), "firststart"]
    try:
        subprocess.run(command, env=environ, check=True, timeout=SET_UP_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise Refused(f"the site could not be set up: {error}") from error


def read(arguments: list[str]) -> tuple[int, int, Path]:
    """Return the number of processes, the port and the directory.

    Raises Refused for a number that is none, or out of its range.
    """
    parser = argparse.ArgumentParser(prog="script/cluster", description=__doc__)
    parser.add_argument("count", metavar="N", help="how many processes of the site")
    count = parser.parse_args(arguments).count
    if not count.isdecimal() or not 1 <= int(count) <= MOST:
        raise Refused(f'N is "{count}"; it must be a number from 1 to {MOST}.')
    port = os.environ.get("PORT", "8000")
    if not port.isdecimal() or not 1 <= int(port) <= 65_535:
        raise Refused(f'PORT is "{port}"; it must be a number from 1 to 65535.')
    var = Path(os.environ.get("MCPSITE_VAR_DIR", ROOT / "var"))
    return int(count), int(port), var.resolve() / "cluster"


def main() -> None:
    """Serve until SIGINT or SIGTERM; then stop everything, and end with 0."""
    asked_to_stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked_to_stop.set())
    try:
        with cluster(*read(sys.argv[1:])) as front:
            print(f"MCP endpoint: {front.url}", flush=True)
            asked_to_stop.wait()
    except (Refused, RuntimeError) as error:
        sys.exit(f"cluster: {error}")


if __name__ == "__main__":
    main()
