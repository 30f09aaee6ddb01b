"""The servers under measurement: how each is started, and what it has used."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from deploy.servers import free_port

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 30.0

# Bare and ours always run under the same flags. Neither writes an access log,
# whose lines would cost as much as a small reply.
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "mcp serve": (
        "django-admin",
        "mcp",
        "serve",
        "--access-log=/dev/null",
        "--ping-interval=600",
        "--port={port}",
        "--application={application}",
    ),
    "daphne": (
        "daphne",
        "--verbosity=0",
        # Our WebSockets answer no pings.
        "--ping-interval=600",
        "--bind=127.0.0.1",
        "--port={port}",
        "{application}",
    ),
    "uvicorn": (
        "uvicorn",
        "--http=httptools",
        "--loop=uvloop",
        "--interface=asgi3",
        "--ws-ping-interval=600",
        "--no-access-log",
        "--log-level=warning",
        "--host=127.0.0.1",
        "--port={port}",
        "{application}",
    ),
}


@dataclass(frozen=True, slots=True)
class Mount:
    """One application to serve, and the path that is asked for.

    ``speaks`` is False where no protocol is spoken. With ``redis`` the state is
    there, shared by so many ``processes``, and else in the one process's memory.
    ``rates`` is where each request is counted, by address, token, session if it has
    one, and tool: nowhere, in the process's memory or in the Redis. ``observers``
    are told of each request.
    """

    name: str
    application: str
    path: str = "/mcp"
    speaks: bool = True
    redis: bool = False
    processes: int = 1
    rates: Literal["", "memory", "redis"] = ""
    observers: tuple[str, ...] = ()


_BARE = "bench.project.bare:application"
_LEAN = "bench.project.lean:application"
_WHOLE = "bench.project.whole:application"
BARE = Mount("bare", _BARE, speaks=False)
BARE_BURST = Mount("bare", _BARE, "/burst", speaks=False)
BARE_STEPS = Mount("bare", _BARE, "/steps", speaks=False)
LEAN = Mount("lean", _LEAN)
REDIS = Mount("lean, redis", _LEAN, redis=True)
UNGUARDED = Mount("unguarded", "bench.project.unguarded:application")
RATED = Mount("rates, memory", _LEAN, rates="memory")
RATED_REDIS = Mount("rates, redis", _LEAN, rates="redis")
_LEDGER = "tools_app.ledger.Ledger"
_METRICS = "mcp_transport.monitoring.Metrics"
LEDGER = Mount("ledger", _LEAN, observers=(_LEDGER,))
METRICS = Mount("metrics", _LEAN, observers=(_METRICS,))
OBSERVED = Mount("ledger, metrics", _LEAN, observers=(_LEDGER, _METRICS))
TWO = Mount("two processes", _LEAN, redis=True, processes=2)
URLS = Mount("urls", _WHOLE)
VIEW = Mount("bare view", _WHOLE, "/bare", speaks=False)


@dataclass(frozen=True, slots=True)
class Server:
    """A mount that runs: one process, or several on ports of their own.

    Streams are opened on the first, and messages are posted to the last.
    """

    mount: Mount
    ports: tuple[int, ...]
    pids: tuple[int, ...]

    @property
    def port(self) -> int:
        return self.ports[0]

    @property
    def post_port(self) -> int:
        return self.ports[-1]

    def cpu_s(self) -> float:
        """Return the CPU seconds of all its threads so far, ended ones too."""
        return sum(cpu_s(pid) for pid in self.pids)

    def threads(self) -> int:
        return self._status("Threads")

    def rss_kb(self) -> int:
        return self._status("VmRSS")

    def _status(self, name: str) -> int:
        return sum(_status(pid, name) for pid in self.pids)


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that all threads of a process have used."""
    # How clock_getcpuclockid(3) names the clock of another process.
    return time.clock_gettime((~pid << 3) | 2)


def _status(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0])
    raise LookupError(f"/proc/{pid}/status has no {name}")


@cache
def cores() -> tuple[int, int]:
    """Return the core of the servers and that of the client.

    Raises RuntimeError where there is only one.
    """
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        raise RuntimeError("two cores are needed: one for the server, one for us")
    return available[0], available[1]


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Keep this process, and what it starts meanwhile, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def started(
    command: str, mount: Mount, environment: Mapping[str, str], directory: Path
) -> Iterator[Server]:
    """Serve ``mount`` on free ports of 127.0.0.1, on the servers' core.

    Raises RuntimeError, with the end of its log, if it does not come up.
    """
    with ExitStack() as stack:
        running = [
            stack.enter_context(_process(command, mount, environment, directory))
            for _ in range(mount.processes)
        ]
        ports, pids = zip(*running, strict=True)
        yield Server(mount, ports, pids)


@contextmanager
def _process(
    command: str, mount: Mount, environment: Mapping[str, str], directory: Path
) -> Iterator[tuple[int, int]]:
    """Start one process; give its port and its id."""
    port = free_port()
    program, *flags = COMMANDS[command]
    log = directory / f"{program}-{port}.log"
    with log.open("wb") as output, pinned(cores()[0]):
        process = subprocess.Popen(
            [
                str(Path(sys.executable).with_name(program)),
                *(f.format(port=port, application=mount.application) for f in flags),
            ],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _await_port(process, port, log)
        yield port, process.pid
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < deadline_s:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    said = log.read_text(errors="replace")[-4000:]
    raise RuntimeError(f"{process.args!r} did not start:\n{said}")
