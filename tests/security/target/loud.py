"""Tools that write to standard output in every way that a process has.

SECURITY_MARKS  the directory in which they leave marks, to be seen from outside
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from mcp_transport import Shelf

SAID = "a tool says this\n"
FLOOD = "import sys; sys.stdout.write('flood ' * 2_000_000)"
# It goes on when the call has ended, and perhaps when we have.
LATER = "(sleep 0.5; echo later) &"
PRINTS = 2_000

shelf = Shelf()


def _by_name() -> None:
    with open("/dev/stdout", "w") as out:
        out.write(SAID)


def _by_libc() -> None:
    libc = ctypes.CDLL(None)
    libc.puts(SAID.encode())
    # Its own buffer, of which Python knows nothing.
    libc.fflush(None)


def _by_threads() -> None:
    def say() -> None:
        for _ in range(PRINTS):
            print(SAID, end="", flush=True)

    threads = [threading.Thread(target=say) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _by_dunder() -> None:
    assert sys.__stdout__ is not None
    sys.__stdout__.write(SAID)
    sys.__stdout__.buffer.write(SAID.encode())
    sys.__stdout__.flush()


WAYS: dict[str, Callable[[], object]] = {
    "print": lambda: print(SAID, end=""),
    "dunder": _by_dunder,
    "descriptor": lambda: os.write(1, SAID.encode()),
    "name": _by_name,
    "libc": _by_libc,
    "child": lambda: subprocess.run(["echo", SAID], check=True),
    "shell": lambda: os.system("echo a tool says this"),
    "threads": _by_threads,
    "orphan": lambda: subprocess.run(["sh", "-c", LATER], check=True),
    "flood": lambda: subprocess.run([sys.executable, "-c", FLOOD], check=True),
}


def _leave(mark: str) -> None:
    Path(os.environ["SECURITY_MARKS"], mark).touch()


@shelf.tool
def loud(way: str) -> str:
    """Write to standard output, on a thread.

    Args:
        way: how.
    """
    WAYS[way]()
    return way


@shelf.tool
async def loud_async(way: str) -> str:
    """Write to standard output, on the event loop.

    Args:
        way: how.
    """
    WAYS[way]()
    return way


@shelf.tool
async def echo(text: str) -> str:
    """Say it again.

    Args:
        text: what to say.
    """
    return text


@shelf.tool
async def wait() -> None:
    """Wait for good, and leave a mark when that is ended."""
    _leave("waiting")
    try:
        await asyncio.Event().wait()
    finally:
        _leave("cancelled")


@shelf.tool
def hold() -> None:
    """Hold a thread for longer than anybody waits."""
    _leave("holding")
    time.sleep(600)
