"""The official programs that our server meets, each in an environment of its own.

What they are is locked in ``tests/environments``; they are made on first use.
"""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"


@functools.cache
def environment(name: str) -> Path:
    """Return the directory of an environment, made first if need be.

    An environment that cannot be made fails the test that needs it.
    """
    made = subprocess.run(
        [ROOT / "script" / "test-environment", name],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if made.returncode != 0:
        raise RuntimeError(f"script/test-environment {name} failed:\n{made.stderr}")
    return CACHE / name


def python(name: str) -> Path:
    """Return the Python of an environment."""
    return environment(name) / "bin" / "python"


def node_program(name: str, program: str) -> Path:
    """Return a program that a package of an environment brings along."""
    return environment(name) / "node_modules" / ".bin" / program


def surroundings() -> dict[str, str]:
    """Return the environment variables of a peer: none of ours, and our Node."""
    node = CACHE / "node" / "node_modules" / ".bin"
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COV_", "DJANGO_", "MCP", "PYTEST_", "PYTHON"))
    }
    return {**inherited, "PATH": f"{node}:{os.environ['PATH']}"}


def run(
    command: Sequence[str | Path],
    *,
    timeout_s: float,
    environ: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
) -> subprocess.CompletedProcess[str]:
    """Run a peer to its end, under our own Node where it needs one."""
    return subprocess.run(
        command,
        cwd=cwd,
        env={**surroundings(), **(environ or {})},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
