"""What befalls the servers of the tests befalls them in truth."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import httpx
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from deploy.servers import HOST, Daphne, Redis, free_port, is_free, running
from tests.serving import daphnes, nginx, redis_server

APPLICATION = "tests.deploy.mirror:application"
ONCE = Retry(NoBackoff(), 0)


def ask(server: Redis, timeout_s: float = 20) -> redis.Redis:
    return redis.Redis(HOST, server.port, socket_timeout=timeout_s, retry=ONCE)


def test_a_killed_redis_knows_what_it_acknowledged(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server, ask(server) as client:
        for number in range(100):
            client.rpush("log", number)
        first = server.pid
        server.kill()
        with pytest.raises(redis.ConnectionError):
            client.ping()
        server.restart()
        assert server.pid != first
        assert client.lrange("log", 0, -1) == [b"%d" % n for n in range(100)]
    assert is_free(server.port)


def test_redis_refuses_to_forget(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server, ask(server) as client:
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        client.config_set("maxmemory", "3mb")
        client.set("first", 1)
        with pytest.raises(redis.OutOfMemoryError):
            for number in range(1_000):
                client.set(f"key-{number}", "x" * 10_000)
        assert client.get("first") == b"1"


def test_a_paused_redis_answers_when_it_goes_on(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        server.pause()
        with ask(server, timeout_s=0.3) as client, pytest.raises(redis.TimeoutError):
            client.ping()
        server.resume()
        with ask(server) as client:
            assert client.ping()
        server.pause()  # and a paused server can be stopped
    assert is_free(server.port)


def test_nginx_passes_over_the_process_that_was_killed(tmp_path: Path) -> None:
    with (
        daphnes(2, APPLICATION, tmp_path, environ={}) as (one, other),
        nginx([one, other], tmp_path) as front,
        httpx.Client(base_url=front.origin, timeout=20) as client,
    ):
        assert answering(client) == {one.pid, other.pid}
        one.kill()
        assert answering(client) == {other.pid}
        one.restart()
        other.kill()
        assert answering(client) == {one.pid}
        front.kill()
        with pytest.raises(httpx.TransportError):
            client.post("/mcp")
        front.restart()
        assert answering(client) == {one.pid}
        pids = [one.pid, front.pid]
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.killpg(pid, 0)


def answering(client: httpx.Client) -> set[int]:
    """Return the processes that answer ten calls, of which none fails."""
    replies = [client.post("/mcp") for _ in range(10)]
    assert {reply.status_code for reply in replies} == {200}
    return {reply.json()["pid"] for reply in replies}


def test_what_does_not_start_says_why_and_stops_the_rest(tmp_path: Path) -> None:
    server = Redis(free_port(), tmp_path)
    missing = Daphne(
        "tests.nowhere:application",
        free_port(),
        tmp_path / "daphne.log",
        environ=dict(os.environ),
    )
    with (
        pytest.raises(RuntimeError, match=r"(?s)Daphne on port .* start:.*tests\.nowh"),
        running([server, missing]),
    ):
        pytest.fail("one of them cannot have started")
    assert is_free(server.port)


def test_a_port_that_is_taken_is_not_taken_for_ours(tmp_path: Path) -> None:
    with (
        socket.create_server((HOST, free_port())) as taken,
        pytest.raises(RuntimeError, match="Redis on port .*did not start:"),
        running([Redis(taken.getsockname()[1], tmp_path)]),
    ):
        pytest.fail("it cannot have started")
