"""The tokens of a test, in a database that its processes share."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.servers import ROOT
from tests.faults.verdict import require
from tools_app.credential import public_id_of

HAND = "tests.faults.served.hand"


class Tokens:
    """What is done to them is done by a process that serves nobody. ``environ`` is
    what those need that do, over what every cluster has.
    """

    def __init__(self, directory: Path, rate: str = "") -> None:
        self.environ = {
            "DJANGO_SETTINGS_MODULE": "tests.faults.served.tokens_settings",
            "FAULTS_DATABASE": str(directory / "tokens.sqlite3"),
            "FAULTS_RATE": rate,
        }
        self._alone = {
            **self.environ,
            "FAULTS_STORE": "memory",
            "FAULTS_JOURNAL": str(directory / "hand.jsonl"),
        }

    async def prepare(self) -> None:
        await self._run("django", "migrate", "--verbosity=0")

    async def issue(self, count: int, rate: str = "") -> list[str]:
        """Return the texts of new tokens."""
        return await self._run(HAND, "issue", str(count), rate)

    async def revoke(self, texts: Sequence[str]) -> list[float]:
        """Withdraw tokens, one after the other; return when each was, in seconds of
        the monotonic clock.
        """
        said = await self._run(HAND, "revoke", *map(_public_id, texts))
        return list(map(float, said))

    async def rotate(self, text: str) -> str:
        """Return the new text of a token, whose old one works on."""
        (new,) = await self._run("django", "mcp", "tokens", "rotate", _public_id(text))
        return new

    async def _run(self, module: str, *arguments: str) -> list[str]:
        """Return the lines that a program prints. Raises Failed if it fails."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, *arguments),
            cwd=ROOT,
            env={**os.environ, **self._alone},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        said, errors = await process.communicate()
        require(process.returncode == 0, errors.decode().strip()[-2000:])
        return said.decode().split()


def _public_id(text: str) -> str:
    public_id = public_id_of(text)
    assert public_id is not None
    return public_id


def subject_of(text: str) -> str:
    """Return whom a token stands for."""
    return f"token:{_public_id(text)}"
