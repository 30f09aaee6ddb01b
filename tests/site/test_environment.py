"""Settings from the environment, and the key that is made on first use."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from mcpsite.documents import PROJECT
from mcpsite.environment import cache, database, listed, own_origins, secret, secret_key

PRINT_SETTINGS = (
    "import json, mcpsite.settings as s;"
    "print(json.dumps([s.DEBUG, s.ALLOWED_HOSTS, s.SECRET_KEY,"
    " s.MCP['ALLOWED_ORIGINS']]))"
)


def settings(var: Path, **environment: str) -> list[object]:
    kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    ran = subprocess.run(
        [sys.executable, "-c", PRINT_SETTINGS],
        cwd=PROJECT,
        env={**kept, "MCPSITE_VAR_DIR": str(var), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: list[object] = json.loads(ran.stdout)
    return found


def test_an_empty_environment_is_safe(tmp_path: Path) -> None:
    var = tmp_path / "var"
    debug, hosts, key, origins = settings(var)
    assert debug is False
    assert hosts == ["localhost", "127.0.0.1", "[::1]"]
    assert key == (var / "secret_key").read_text(encoding="ascii")
    assert origins == own_origins(["localhost", "127.0.0.1", "[::1]"], "8000")
    assert stat.S_IMODE(var.stat().st_mode) == 0o700


def test_the_environment_is_heard(tmp_path: Path) -> None:
    debug, hosts, key, origins = settings(
        tmp_path,
        DJANGO_DEBUG="1",
        DJANGO_SECRET_KEY="given",
        DJANGO_ALLOWED_HOSTS="mcp.example.com",
        MCP_ALLOWED_ORIGINS="https://app.example.com",
        PORT="9000",
    )
    assert (debug, hosts, key) == (True, ["mcp.example.com"], "given")
    assert origins == [
        "http://mcp.example.com:9000",
        "https://mcp.example.com",
        "https://app.example.com",
    ]
    assert not (tmp_path / "secret_key").exists()


@pytest.mark.parametrize("value", ["0", "true", "", "yes"])
def test_only_1_turns_debugging_on(tmp_path: Path, value: str) -> None:
    assert settings(tmp_path, DJANGO_DEBUG=value)[0] is False


def test_a_list_has_no_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_LIST", " a, b ,,c,")
    assert listed("SOME_LIST") == ["a", "b", "c"]
    assert listed("NO_SUCH_LIST", "x,y") == ["x", "y"]


def test_a_pattern_names_no_origin() -> None:
    assert own_origins(["*", ".example.com"], "8000") == []


@pytest.mark.parametrize(
    ("store", "location", "prefix"),
    [
        (
            "redis://me:word@there:6380/1?prefix=shop",
            "redis://me:word@there:6380/1",
            "shop",
        ),
        ("unix:///run/redis.sock?db=1", "unix:///run/redis.sock?db=1", "mcp"),
    ],
)
def test_processes_that_share_a_store_share_a_cache(
    store: str, location: str, prefix: str
) -> None:
    assert cache("memory")["BACKEND"].endswith(".LocMemCache")
    shared = cache(store)
    assert shared["BACKEND"].endswith(".RedisCache")
    assert (shared["LOCATION"], shared["KEY_PREFIX"]) == (location, f"{prefix}:cache")
    # A Redis that hangs must not hold whoever counts.
    assert 0 < shared["OPTIONS"]["socket_timeout"] <= 5


def test_the_key_is_long_kept_and_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    key = secret_key(path)
    assert len(key) >= 64
    assert secret_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["secret_key"]


def test_processes_that_start_at_once_get_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: secret_key(path), range(64)))
    assert keys == {path.read_text(encoding="ascii")}
    assert os.listdir(tmp_path) == ["secret_key"]


def test_a_secret_may_lie_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_SECRET", "said")
    assert secret("SOME_SECRET") == "said"
    (tmp_path / "secret").write_text("written\n")
    monkeypatch.setenv("SOME_SECRET_FILE", str(tmp_path / "secret"))
    with pytest.raises(ImproperlyConfigured, match="SOME_SECRET or SOME_SECRET_FILE"):
        secret("SOME_SECRET")
    monkeypatch.delenv("SOME_SECRET")
    assert secret("SOME_SECRET") == "written"
    assert secret("NO_SUCH_SECRET") == ""


def test_a_secret_whose_file_is_missing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_SECRET_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError):
        secret("SOME_SECRET")


def test_postgresql_is_used_where_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite = database(tmp_path / "db.sqlite3")
    assert sqlite["ENGINE"] == "django.db.backends.sqlite3"
    assert sqlite["NAME"] == tmp_path / "db.sqlite3"
    monkeypatch.setenv("POSTGRES_HOST", "db")
    monkeypatch.setenv("POSTGRES_PASSWORD", "secret")
    named = database(tmp_path / "db.sqlite3")
    assert named["ENGINE"] == "django.db.backends.postgresql"
    assert [named[key] for key in ("HOST", "PORT", "NAME", "USER", "PASSWORD")] == [
        *("db", "5432", "mcp", "mcp", "secret")
    ]
