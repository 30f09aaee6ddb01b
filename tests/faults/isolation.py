"""A network of its own for a test: its addresses, routes and counters are nobody
else's, and gone with it.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deploy.servers import ROOT, program
from tests.faults.verdict import reason, require


async def isolated(test: str, size: Any, directory: Path) -> str:
    """Run the coroutine ``attack(size, directory)`` of the module ``test`` where the
    only network is a loopback of its own; return its figures.

    Raises Failed, with what it said, if it does. Root may do so, and nobody else.
    """
    process = await asyncio.create_subprocess_exec(
        *(program("unshare"), "--net", sys.executable, "-m", __name__),
        *(test, json.dumps(asdict(size)), str(directory)),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        figures, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            await process.wait()
    require(process.returncode == 0, errors.decode().strip()[-2000:])
    return figures.decode().strip()


def main(arguments: Sequence[str]) -> None:
    name, size, directory = arguments
    test = importlib.import_module(name)
    ip("link", "set", "lo", "up")
    try:
        print(asyncio.run(test.attack(test.Size(**json.loads(size)), Path(directory))))
    # An ExceptionGroup, of tasks side by side, among them.
    except Exception as error:
        sys.exit(reason(error))


def ip(*arguments: str) -> None:
    subprocess.run([program("ip"), *arguments], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
