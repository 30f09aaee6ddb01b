"""What Prometheus is told of what was served."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.observing import Connection, tell_began, tell_ended
from mcp_transport.engine.server import Server
from mcp_transport.monitoring import Metrics, gauges, register_gauge
from mcp_transport.monitoring.metrics import exposition
from mcp_transport.protocol.errors import TooManyRequests
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL
from tests.engine.exchanges import every_revision, opened
from tests.monitoring.serving import call, observed, served
from tests.serving import ROOT

DURATION = "mcp_request_duration_seconds_count"
ADA = Caller("ada", frozenset({"*"}))


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


class Counted:
    """How far a series has gone since."""

    def __init__(self, name: str, **labels: str) -> None:
        self._name, self._labels = name, labels
        self._before = value(name, **labels)

    @property
    def more(self) -> float:
        return value(self._name, **self._labels) - self._before


@pytest.fixture
def server() -> Server:
    return observed(Metrics())


def requests(method: str, revision: str, outcome: str) -> Counted:
    labels = {"method": method, "revision": revision, "outcome": outcome}
    return Counted(DURATION, door="test", **labels)


@every_revision
async def test_requests_are_counted_by_what_became_of_them(
    server: Server, revision: Revision
) -> None:
    outcomes = [
        ("greet", {"name": "Ada"}, "ok"),
        ("greet", {"name": "nobody"}, "tool_error"),
        ("late", {}, "timed_out"),
        ("none", {}, "error"),
    ]
    for tool, arguments, outcome in outcomes:
        counted = requests("tools/call", revision.name, outcome)
        sent = Counted("mcp_sent_bytes_total", door="test")
        await call(server, tool, arguments, revision=revision)
        assert counted.more == 1
        assert sent.more > 50


async def test_a_client_makes_no_series_of_its_own(server: Server) -> None:
    counted = requests("other", LATEST.name, "error")
    before = len(list(REGISTRY.collect()))
    for method in ("tools/none", "x\n", "y" * 1000):
        await served(opened(server, method))
    assert counted.more == 3
    assert len(list(REGISTRY.collect())) == before


async def test_who_names_no_revision_is_counted(server: Server) -> None:
    counted = requests("tools/list", "unknown", "error")
    meta = {"io.modelcontextprotocol/protocolVersion": "1999-01-01"}
    await served(opened(server, "tools/list", {"_meta": meta}))
    assert counted.more == 1


async def test_who_is_turned_away_is_counted(server: Server) -> None:
    refused = Counted("mcp_rejected_total", status="401")
    busy = Counted("mcp_rejected_total", status="429")
    Metrics().request_refused(401, "a bearer token is needed")
    exchange = opened(server, "tools/call", {"name": "wait"})
    exchange.fail(TooManyRequests("16 calls are open already", 1))
    assert (refused.more, busy.more) == (1, 1)


def test_connections_are_counted_while_they_last() -> None:
    observers = [Metrics()]
    left = Counted(
        "mcp_connections_ended_total", door="websocket", ending="client_left"
    )
    open_now = Counted("mcp_streams", door="websocket")
    connection = Connection(door="websocket", caller=ADA)
    tell_began(observers, connection)
    assert (open_now.more, left.more) == (1, 0)
    tell_ended(observers, connection, "client_left")
    assert (open_now.more, left.more) == (0, 1)


def test_gauges_are_read_when_they_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges, "_gauges", {})
    depth = [3.0]
    register_gauge("test_metrics_depth", "What waits.", lambda: depth[0])
    assert b"\ntest_metrics_depth 3.0\n" in exposition()
    depth[0] = 4.5
    assert b"\ntest_metrics_depth 4.5\n" in exposition()


def test_what_serves_is_named() -> None:
    Metrics()
    families = {
        f.name: f for f in text_string_to_metric_families(exposition().decode())
    }
    (build,) = families["mcp_build_info"].samples
    assert set(build.labels) == {"version", "python", "django"}
    assert build.value == 1


COUNT = """
import asyncio, time
from mcp_transport.engine.caller import Caller
from mcp_transport.engine.observing import Connection
from mcp_transport.monitoring import Metrics, metrics, register_gauge

metrics.REFRESH_S = 0.01
read = []
register_gauge("depth", "What waits.", lambda: read.append(1) or 5)
register_gauge("shared", "What all see.", lambda: 7, across="max")
observer = Metrics()
observer.request_refused(401, "")
observer.connection_began(Connection(door="sse", caller=Caller("ada")))
"""
# Refreshed by itself, and for good.
WAIT = """
while len(read) < 3:
    time.sleep(0.01)
print(flush=True)
time.sleep(60)
"""
SHOW = "print(metrics.exposition().decode())\n"
LEAVE = """
print("---")
asyncio.run(observer.drain())
registry = metrics.CollectorRegistry()
metrics.MultiProcessCollector(registry)
print(metrics.prometheus_client.generate_latest(registry).decode())
"""


def ran(code: str, directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", COUNT + code],
        cwd=ROOT,
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(directory)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def shown(code: str, directory: Path) -> list[dict[tuple[str, str], float]]:
    process = ran(code, directory)
    said, wrong = process.communicate(timeout=60)
    assert process.returncode == 0, wrong
    return [
        {
            (sample.name, "".join(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(part)
            for sample in family.samples
        }
        for part in said.split("---\n")
    ]


def test_each_of_several_processes_tells_what_all_of_them_count(
    tmp_path: Path,
) -> None:
    other = ran(WAIT, tmp_path)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "\n"
        (together,) = shown(SHOW, tmp_path)
    finally:
        other.kill()
        other.communicate()
    assert together[("mcp_rejected_total", "401")] == 2
    assert together[("mcp_streams", "sse")] == 2
    assert together[("depth", "")] == 10
    assert together[("shared", "")] == 7
    # What was open in a process that was killed, or that left, is open no more.
    alone, after = shown(SHOW + LEAVE, tmp_path)
    assert alone[("mcp_rejected_total", "401")] == 3
    assert alone[("mcp_streams", "sse")] == 1
    assert alone[("depth", "")] == 5
    assert after[("mcp_rejected_total", "401")] == 3
    assert ("mcp_streams", "sse") not in after


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    process = ran("", tmp_path / "gone")
    _, wrong = process.communicate(timeout=60)
    assert process.returncode == 1
    assert wrong.strip().endswith(
        "which is no directory: make it, and empty it whenever the server starts"
    )


MISSING = """
import sys
sys.modules["prometheus_client"] = sys.modules["opentelemetry"] = None
import mcp_transport.monitoring as monitoring
monitoring.CallLog(), monitoring.JsonFormatter()
for name in ("metrics", "tracing"):
    try:
        __import__(f"mcp_transport.monitoring.{name}")
    except ImportError as error:
        print(error)
"""


def test_what_is_not_used_needs_no_package() -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", MISSING],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ran.stdout.splitlines() == [
        'needs prometheus-client: pip install "django-mcp-transport[metrics]"',
        'needs opentelemetry-api: pip install "django-mcp-transport[tracing]"',
    ]


def test_an_unknown_name_is_no_part_of_the_package() -> None:
    import mcp_transport.monitoring as monitoring

    with pytest.raises(AttributeError, match="no attribute 'Unknown'"):
        _ = monitoring.Unknown


async def test_a_session_s_requests_are_counted_as_any_other(server: Server) -> None:
    counted = requests("ping", LATEST_STATEFUL.name, "ok")
    await served(opened(server, "ping", revision=LATEST_STATEFUL))
    assert counted.more == 1
