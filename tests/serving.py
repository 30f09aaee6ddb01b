"""Real servers for the tests: stock daphne in a process of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_S = 60
STOP_S = 15


@dataclass(frozen=True, slots=True)
class Served:
    """A server that accepts requests; its output goes to the file ``log``."""

    port: int
    log: Path

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/mcp"

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")


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

    The application finds its port in the environment variable ``PORT``. The
    socket is bound here and handed down, so that nobody can take the port
    meanwhile. Raises RuntimeError with the server's output if it does not start.
    """
    with log.open("wb") as output, socket.create_server(("127.0.0.1", 0)) as listener:
        served = Served(listener.getsockname()[1], log)
        process = subprocess.Popen(
            [python, "-m", "daphne", "--fd", str(listener.fileno()), application],
            cwd=cwd,
            env={**_surroundings(), "PORT": str(served.port), **environ},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[listener.fileno()],
        )
    try:
        _wait_until_it_answers(served)
        yield served
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_S)


def _surroundings() -> dict[str, str]:
    """Return the environment without the settings that these tests run under."""
    return {k: v for k, v in os.environ.items() if not k.startswith("DJANGO_")}


def _wait_until_it_answers(served: Served) -> None:
    """Send one request: it waits in the backlog until the server accepts."""
    try:
        urllib.request.urlopen(served.origin, timeout=START_S).close()
    except urllib.error.HTTPError as answer:
        answer.close()
    except OSError as error:
        raise RuntimeError(f"daphne did not start: {error}\n{served.said()}") from error
