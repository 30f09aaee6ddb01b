from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import WARNING
from django.test import override_settings
from redis import Redis

from mcp_transport.checks.processes import (
    COUNT_VARIABLE,
    check_counts,
    check_processes,
    check_store,
)
from tests.serving import redis_server

BACKENDS = "django.core.cache.backends"
LOCAL = {"BACKEND": f"{BACKENDS}.locmem.LocMemCache"}
DUMMY = {"BACKEND": f"{BACKENDS}.dummy.DummyCache"}
SHARED = {"BACKEND": f"{BACKENDS}.redis.RedisCache", "LOCATION": "redis://there"}
REDIS = {"STORE": "redis://there"}
UNBOUND = {"FAILURES_PER_ADDRESS": ""}


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(COUNT_VARIABLE, raising=False)
    with override_settings(MCP={}, DEBUG=False, CACHES={"default": LOCAL}):
        yield


def counts(**settings: Any) -> list[str]:
    with override_settings(**settings):
        messages = check_counts()
    assert {message.id for message in messages} <= {"mcp_transport.E010"}
    assert all(message.hint for message in messages)
    return [message.msg for message in messages]


# The store.


def test_a_store_in_memory_has_no_server_to_ask() -> None:
    assert check_store() == []


def test_a_redis_is_asked_before_it_is_relied_on(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server, override_settings(MCP={"STORE": server.url}):
        assert check_store() == []
        with Redis.from_url(server.url) as client:
            client.config_set("appendonly", "no")
            client.config_set("maxmemory", "100mb")
            client.config_set("maxmemory-policy", "allkeys-lru")
        messages = check_store()
        server.kill()
        (away,) = check_store()
    assert [message.id for message in messages] == ["mcp_transport.E006"] * 2
    said = " ".join(message.msg for message in messages)
    assert "maxmemory-policy noeviction" in said
    assert "appendonly yes" in said
    assert (away.id, away.level) == ("mcp_transport.W002", WARNING)


def test_settings_that_are_wrong_are_not_asked_about_twice() -> None:
    with override_settings(MCP={"STORE": "mysql://there"}):
        assert check_store() == []


# Several processes.


@pytest.mark.parametrize("declared", ["2", "16"])
def test_several_processes_do_not_go_with_a_store_in_memory(
    monkeypatch: pytest.MonkeyPatch, declared: str
) -> None:
    monkeypatch.setenv(COUNT_VARIABLE, declared)
    (error,) = check_processes()
    assert error.id == "mcp_transport.E009"
    assert f"WEB_CONCURRENCY declares {declared} processes" in error.msg
    assert 'MCP["STORE"] = "redis://..."' in str(error.hint)
    with override_settings(MCP=REDIS):
        assert check_processes() == []


@pytest.mark.parametrize("declared", [None, "", "0", "1", "many", "-2"])
def test_one_process_keeps_its_sessions_in_memory(
    monkeypatch: pytest.MonkeyPatch, declared: str | None
) -> None:
    if declared is not None:
        monkeypatch.setenv(COUNT_VARIABLE, declared)
    assert check_processes() == []


# The cache that counts.


def test_one_process_may_count_in_its_memory() -> None:
    assert counts() == []


def test_several_processes_do_not_count_each_for_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (said,) = counts(MCP=REDIS)
    assert said == (
        'CACHES["default"], in which rates are counted, is in the memory of one '
        "process, and there are several."
    )
    assert counts(MCP=REDIS, DEBUG=True) == []
    assert counts(MCP=REDIS, CACHES={"default": SHARED}) == []
    monkeypatch.setenv(COUNT_VARIABLE, "2")
    assert counts() == [said]


def test_where_nothing_is_counted_any_cache_will_do() -> None:
    assert counts(MCP={**REDIS, **UNBOUND}) == []
    assert counts(MCP=UNBOUND, CACHES={"default": DUMMY}) == []


def test_a_cache_that_keeps_nothing_counts_nothing() -> None:
    (said,) = counts(CACHES={"default": DUMMY})
    assert said == 'CACHES["default"], in which rates are counted, keeps nothing.'
    assert counts(CACHES={"default": DUMMY}, DEBUG=True) == []


@pytest.mark.parametrize("backend", ["db.DatabaseCache", "filebased.FileBasedCache"])
def test_a_cache_that_reads_before_it_writes_does_not_count_everybody(
    backend: str,
) -> None:
    caches = {"default": {"BACKEND": f"{BACKENDS}.{backend}", "LOCATION": "/counts"}}
    (said,) = counts(CACHES=caches)
    assert "reads a count and then writes it" in said
    assert counts(CACHES=caches, DEBUG=True) == []
    assert counts(CACHES=caches, MCP=UNBOUND) == []


@pytest.mark.parametrize(
    "backend", ["memcached.PyMemcacheCache", "memcached.PyLibMCCache"]
)
def test_a_cache_that_adds_in_one_step_will_do(backend: str) -> None:
    caches = {"default": {"BACKEND": f"{BACKENDS}.{backend}", "LOCATION": "there"}}
    assert counts(MCP=REDIS, CACHES=caches) == []


def test_the_cache_of_the_rates_is_the_one_that_is_asked() -> None:
    caches = {"default": LOCAL, "counting": SHARED}
    assert counts(MCP=REDIS, CACHES=caches, RATELIMIT_USE_CACHE="counting") == []
    (said,) = counts(CACHES=caches, RATELIMIT_USE_CACHE="missing")
    assert said == 'There is no CACHES["missing"], in which rates are to be counted.'


def test_rates_that_are_switched_off_are_missed() -> None:
    (said,) = counts(RATELIMIT_ENABLE=False)
    assert said == "RATELIMIT_ENABLE is off: no rate bounds anybody."
    assert counts(RATELIMIT_ENABLE=False, DEBUG=True) == []
    assert counts(RATELIMIT_ENABLE=False, MCP=UNBOUND) == []
