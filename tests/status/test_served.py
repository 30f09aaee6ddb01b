"""Health, metrics and the log of real servers: stock daphne under both mounts, and
``manage.py mcp serve`` with several workers over one Redis.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mcp_transport.protocol.revisions import LATEST
from tests.rawasgi import HEADERS, message
from tests.serving import Redis, Served, daphne, mcp_serve, redis_server
from tests.status.conftest import TOKEN

BOUND_S = 30
MOST_LISTS = 2000
# Over DATA_UPLOAD_MAX_MEMORY_SIZE, which is what the runner takes.
TOO_LARGE = 2_621_441
SCRAPES = 8
Reply = tuple[int, bytes]


def environ(database: dict[str, Any], **more: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "tests.status.settings",
        "STATUS_DATABASE": json.dumps(database),
        **more,
    }


def sqlite(directory: Path) -> dict[str, Any]:
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(directory / "db")}


def asked(
    served: Served, path: str, body: bytes | None = None, **headers: str
) -> Reply:
    """Return status and body, on a connection of its own."""
    url = f"http://127.0.0.1:{served.port}{path}"
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=BOUND_S) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def listed(served: Served, **headers: str) -> Reply:
    sent = {name: value for name, value in HEADERS.items() if value is not None}
    del sent["host"]
    return asked(served, "/mcp", message("tools/list"), **{**sent, **headers})


def metrics(served: Served) -> dict[tuple[str, ...], float]:
    """Return every value by the name and the labels' values, sorted."""
    status, body = asked(served, "/metrics", authorization=f"Bearer {TOKEN}")
    assert status == 200
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


COUNT = (
    "mcp_request_duration_seconds_count",
    *sorted((LATEST.name, "ok", "streamable-http", "tools/list")),
)


@pytest.fixture(params=["urls", "lean"])
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    with daphne(
        f"tests.status.asgi:{request.param}",
        tmp_path / "daphne.log",
        environ=environ(sqlite(tmp_path)),
    ) as served:
        yield served


def test_what_daphne_serves_is_counted_and_logged(watched: Served) -> None:
    assert listed(watched)[0] == 200
    assert listed(watched, authorization="Bearer nobody")[0] == 401
    assert asked(watched, "/metrics")[0] == 401
    counted = metrics(watched)
    assert counted[COUNT] == 1
    assert counted[("mcp_rejected_total", "401")] == 1
    assert counted[("mcp_requests_in_flight",)] == 0
    status, body = asked(watched, "/health", authorization=f"Bearer {TOKEN}")
    assert (status, json.loads(body)) == (
        200,
        {
            "status": "ok",
            "version": "7",
            "checks": {"store": "ok", "database": "ok"},
            "counts": {"sessions": 0, "streams": 0, "calls": 0, "listeners": 0},
        },
    )
    assert asked(watched, "/health/live") == (200, b'{"status": "ok"}')
    logged = [
        json.loads(line)
        for line in watched.said().splitlines()
        if '"mcp_transport.calls"' in line
    ]
    (record,) = logged
    assert record["mcp_method"] == "tools/list"
    assert record["mcp_subject"] == "alice"
    assert record["mcp_outcome"] == "ok"
    assert "alice-token" not in watched.said()
    assert TOKEN not in watched.said()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Redis]:
    (tmp_path / "redis").mkdir()
    with redis_server(tmp_path / "redis") as server:
        yield server


def test_each_worker_tells_what_all_of_them_served(
    store: Redis, tmp_path: Path
) -> None:
    (tmp_path / "metrics").mkdir()
    with mcp_serve(
        "tests.status.asgi:lean",
        tmp_path / "serve.log",
        environ=environ(
            sqlite(tmp_path),
            STATUS_STORE=store.url,
            PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "metrics"),
        ),
        options=["--workers=2"],
    ) as served:
        lists = 0
        # Until both of them have had their share.
        while len(list((tmp_path / "metrics").glob("histogram_*.db"))) < 2:
            assert listed(served)[0] == 200
            lists += 1
            assert lists < MOST_LISTS
        assert {metrics(served)[COUNT] for _ in range(SCRAPES)} == {lists}
        assert metrics(served)[("mcp_sessions",)] == 0
        # What the runner refuses, before any view hears of it, is counted as well.
        assert asked(served, "/mcp", b"x" * TOO_LARGE)[0] == 413
        assert metrics(served)[("mcp_rejected_total", "413")] == 1


def test_a_server_whose_store_and_database_are_away_lives_and_is_not_ready(
    store: Redis, tmp_path: Path
) -> None:
    nowhere = sqlite(tmp_path / "gone")
    with daphne(
        "tests.status.asgi:urls",
        tmp_path / "daphne.log",
        environ=environ(nowhere, STATUS_STORE=store.url),
    ) as served:
        status, body = asked(served, "/health/ready")
        assert (status, json.loads(body)["checks"]) == (
            503,
            {"store": "ok", "database": "unreachable"},
        )
        store.kill()
        status, body = settled(served)
        assert (status, json.loads(body)["checks"]) == (
            503,
            {"store": "unreachable", "database": "unreachable"},
        )
        assert asked(served, "/health/live")[0] == 200
        assert str(tmp_path) not in body.decode()
        status, body = asked(served, "/metrics", authorization=f"Bearer {TOKEN}")
        assert b"mcp_sessions NaN" in body


def settled(served: Served) -> Reply:
    """Ask until what was heard before is not kept any more."""
    while True:
        reply = asked(served, "/health/ready")
        if b'"store": "ok"' not in reply[1]:
            return reply
