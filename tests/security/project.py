"""The project that is attacked: its tokens, its processes, its Redis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from deploy.servers import HOST, Redis, Served
from tests.faults.verdict import require
from tests.serving import ROOT, daphnes, redis_server

SETTINGS = "tests.security.served.settings"
APPLICATION = "tests.security.served.asgi:application"
ISSUE = [sys.executable, "-m", "tests.security.served.issue"]
ISSUE_WITHIN_S = 120
# The access log has a line for each of thousands of requests.
OPTIONS = (f"--access-log={os.devnull}",)


@dataclass(frozen=True)
class Project:
    """``tokens`` are those of alice, who owns what others are after; of bob; and
    three more of alice's: ``narrow`` has other scopes, one is revoked and one has
    expired. ``server`` is the Redis of several processes.
    """

    members: list[Served]
    tokens: Mapping[str, str]
    environ: Mapping[str, str]
    server: Redis | None

    @property
    def origins(self) -> tuple[str, ...]:
        return tuple(member.origin for member in self.members)

    def keys(self) -> list[str]:
        """Return the names of all keys in Redis."""
        assert self.server is not None
        with redis.Redis(HOST, self.server.port, socket_timeout=5) as client:
            return sorted(key.decode() for key in client.scan_iter(count=1000))


@asynccontextmanager
async def project(
    directory: Path, processes: int, conf: Mapping[str, Any]
) -> AsyncIterator[Project]:
    """Serve from so many processes: one with its store in memory, or several
    before a Redis. ``conf`` is more of settings.MCP.

    Raises Failed, at the end, for a traceback in what they have logged.
    """
    directory.mkdir(parents=True)  # noqa: ASYNC240 - before anything runs
    environ = {
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "SECURITY_DATABASE": str(directory / "db.sqlite3"),
        "SECURITY_CONF": json.dumps(conf),
    }
    with ExitStack() as stack:
        server = None
        if processes > 1:
            server = stack.enter_context(redis_server(directory))
            environ["SECURITY_STORE"] = server.url
        tokens = _issue(environ)
        members = stack.enter_context(
            daphnes(processes, APPLICATION, directory, environ=environ, options=OPTIONS)
        )
        yield Project(members, tokens, environ, server)
        for member in members:
            require("Traceback" not in member.said(), f"a traceback in {member.log}")


def _issue(environ: Mapping[str, str]) -> dict[str, str]:
    """Make the database; return the tokens in it by name."""
    made = subprocess.run(
        ISSUE,
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        check=True,
        timeout=ISSUE_WITHIN_S,
    )
    tokens: dict[str, str] = json.loads(made.stdout)
    return tokens
