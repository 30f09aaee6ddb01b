"""The servers under measurement: how each is started, and what it has used."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 30.0

# Bare and ours always run under the same flags. Neither writes an access log,
# whose lines would cost as much as a small reply.
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "daphne": ("daphne", "--verbosity=0", "--bind=127.0.0.1", "--port={port}"),
    "uvicorn": (
        "uvicorn",
        "--http=httptools",
        "--loop=uvloop",
        "--interface=asgi3",
        "--no-access-log",
        "--log-level=warning",
        "--host=127.0.0.1",
        "--port={port}",
    ),
}


@dataclass(frozen=True, slots=True)
class Mount:
    """One application to serve, and the path that is asked for."""

    name: str
    application: str
    path: str


BARE = Mount("bare", "bench.project.bare:application", "/mcp")
LEAN = Mount("lean", "bench.project.lean:application", "/mcp")
URLS = Mount("urls", "bench.project.whole:application", "/mcp")
VIEW = Mount("bare view", "bench.project.whole:application", "/bare")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server process."""

    mount: Mount
    port: int
    pid: int

    def cpu_s(self) -> float:
        """Return the CPU seconds of all its threads so far, ended ones too."""
        # How clock_getcpuclockid(3) names the clock of another process.
        return time.clock_gettime((~self.pid << 3) | 2)

    def threads(self) -> int:
        return self._status("Threads")

    def rss_kb(self) -> int:
        return self._status("VmRSS")

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            key, _, value = line.partition(":")
            if key == name:
                return int(value.split()[0])
        raise LookupError(f"/proc/{self.pid}/status has no {name}")


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
    """Serve ``mount`` on a free port of 127.0.0.1, on the servers' core.

    Raises RuntimeError, with the end of its log, if it does not come up.
    """
    port = _free_port()
    program, *flags = COMMANDS[command]
    log = directory / f"{command}-{mount.name.replace(' ', '-')}-{port}.log"
    with log.open("wb") as output, pinned(cores()[0]):
        process = subprocess.Popen(
            [
                str(Path(sys.executable).with_name(program)),
                *(flag.format(port=port) for flag in flags),
                mount.application,
            ],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _await_port(process, port, log)
        yield Server(mount, port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


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
