"""T28: how long a refusal takes tells nothing of a token, right prefix or wrong."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.faults.verdict import require
from tests.serving import ROOT
from tests.wire.served.database import environ

PROGRAM = "tests.security.token_timing"


@dataclass(frozen=True, kw_only=True)
class Size:
    """``count`` tokens of each kind, whose median times may differ by ``percent``.

    Of a few tokens, on a machine with other work, a median is only so exact.
    """

    count: int
    percent: float


SMALL = Size(count=500, percent=30)
FULL = Size(count=20_000, percent=1)


async def run(size: Size, directory: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        PROGRAM,
        str(size.count),
        cwd=ROOT,
        env={**os.environ, **environ(directory / "db.sqlite3")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    require(process.returncode == 0, err.decode())
    medians_us: dict[str, float] = json.loads(out)
    apart = (max(medians_us.values()) / min(medians_us.values()) - 1) * 100
    figures = ", ".join(f"{kind} {us:.1f} us" for kind, us in medians_us.items())
    require(apart <= size.percent, f"medians are {apart:.2f} % apart: {figures}")
    return (
        f"{size.count} refusals of each kind, in random order: median {figures}, "
        f"{apart:.2f} % apart"
    )
