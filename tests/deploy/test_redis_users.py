"""What the site's user in Redis may do: keep sessions there, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from deploy.servers import DEPLOY, HOST, ROOT, Redis
from tests.deploy.session import use_a_session
from tests.serving import daphne, redis_server

PASSWORD = "a password"
# Who looks on. Redis knows nobody of that name outside of this test.
KEEPER = ("keeper", "on", f">{PASSWORD}", "~*", "&*", "+@all")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Redis]:
    """Run a Redis whose users are those of deploy/redis-users.acl."""
    rules = (DEPLOY / "redis-users.acl").read_text().replace("PASSWORD", "{}")
    with redis_server(tmp_path) as server:
        with redis.Redis(HOST, server.port, socket_timeout=20) as client:
            client.execute_command("ACL", "SETUSER", *KEEPER)
        with as_user(server, "keeper") as client:
            for line in rules.splitlines():
                _, *user = line.split(" ")
                rule = [part.format(PASSWORD) for part in user]
                client.execute_command("ACL", "SETUSER", *rule)
        yield server


def as_user(server: Redis, name: str) -> redis.Redis:
    once = Retry(NoBackoff(), 0)
    return redis.Redis(
        *(HOST, server.port),
        username=name,
        password=PASSWORD,
        socket_timeout=20,
        retry=once,
    )


def test_the_site_needs_no_more(server: Redis, tmp_path: Path) -> None:
    environ = {
        "MCPSITE_VAR_DIR": str(tmp_path / "var"),
        "MCP_STORE": f"redis://mcp:{quote(PASSWORD)}@{HOST}:{server.port}/0",
    }
    set_up = subprocess.run(
        [sys.executable, "manage.py", "firststart"],
        cwd=ROOT,
        env={**os.environ, **environ, "DJANGO_SETTINGS_MODULE": "mcpsite.settings"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    (token,) = set(re.findall(r"\bmcp_[\w-]{20,}", set_up.stdout))
    application = "mcpsite.asgi:application"
    with daphne(application, tmp_path / "daphne.log", environ=environ) as site:
        use_a_session(site.port, token)
        # How often somebody asks is counted in Django's cache, which is there as well.
        headers = {"Authorization": f"Bearer {token}"}
        issued = httpx.post(f"{site.origin}/api/tickets/", headers=headers, timeout=30)
        assert issued.status_code == 201
    with as_user(server, "keeper") as client:
        assert client.acl_log() == []  # of what was refused
        kept = list(client.scan_iter())
        assert kept and all(key.startswith(b"mcp:") for key in kept)


@pytest.mark.parametrize(
    "command",
    [
        ("SET", "another", "1"),
        ("GET", "mcpx"),
        ("EVAL", "return redis.call('GET', 'another')", "0"),
        ("PUBLISH", "another", "1"),
        ("FLUSHALL",),
        ("KEYS", "*"),
        ("CONFIG", "GET", "dir"),
        ("ACL", "LIST"),
        ("SHUTDOWN",),
    ],
    ids=" ".join,
)
def test_the_site_can_do_no_more(server: Redis, command: tuple[str, ...]) -> None:
    with (
        as_user(server, "mcp") as client,
        pytest.raises(redis.ResponseError, match="permission|can't access"),
    ):
        client.execute_command(*command)


def test_who_asks_for_health_learns_nothing_else(server: Redis) -> None:
    with as_user(server, "health") as client:
        assert client.execute_command("PING")
        with pytest.raises(redis.ResponseError, match="permission"):
            client.get("mcp:anything")


def test_nobody_is_somebody(server: Redis) -> None:
    with (
        redis.Redis(HOST, server.port, socket_timeout=20) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()
