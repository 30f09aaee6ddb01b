"""What all measurements share: a database with tokens in it, and a Redis."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench.servers import ROOT, Mount, Server, cpu_s, started
from deploy.servers import Redis, free_port, running


@dataclass(frozen=True, slots=True)
class Stage:
    """``tokens`` are as many callers; files are in ``directory``."""

    directory: Path
    redis: Redis
    tokens: Sequence[str]

    @classmethod
    @contextmanager
    def ready(cls, directory: Path, tokens: int) -> Iterator[Self]:
        """Raises RuntimeError if Redis does not start."""
        redis = Redis(free_port(), directory)
        issued = _issued(tokens, _environment(directory, 3, "memory"))
        with running([redis]):
            yield cls(directory, redis, issued)

    def serving(
        self, command: str, mount: Mount, tools: int
    ) -> AbstractContextManager[Server]:
        """Serve ``mount`` with so many tools. Raises RuntimeError, as it starts."""
        # Each has keys of its own there, and shares nothing with one before it.
        prefix = secrets.token_hex(4)
        store = f"{self.redis.url}?prefix={prefix}" if mount.redis else "memory"
        environment = _environment(self.directory, tools, store)
        rates = self.redis.url if mount.rates == "redis" else mount.rates
        environment["BENCH_RATES"] = rates
        environment["BENCH_OBSERVERS"] = ",".join(mount.observers)
        return started(command, mount, environment, self.directory)

    def redis_cpu_s(self) -> float:
        """Return the CPU seconds that Redis has used so far."""
        return cpu_s(self.redis.pid)


def _environment(directory: Path, tools: int, store: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "bench.project.settings",
        "BENCH_DATABASE": str(directory / "db.sqlite3"),
        "BENCH_STORE": store,
        "BENCH_TOOLS": str(tools),
        "PYTHONPATH": str(ROOT),
    }


def _issued(tokens: int, environment: Mapping[str, str]) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-m", "bench.project.tokens", str(tokens)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
    )
    return ran.stdout.split()
