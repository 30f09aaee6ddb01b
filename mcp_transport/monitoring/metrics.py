"""What was served, as Prometheus counts it. Needs the extra ``metrics``.

Everything is in the default registry of prometheus_client, so that whatever a
project has to show that registry shows this too. Labels take values of ours alone:
a client can make no series of its own.

Where PROMETHEUS_MULTIPROC_DIR is set, the processes count into the files of that
directory, and each can tell what all of them count.
"""

from __future__ import annotations

import os
import platform
import threading
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import django

from mcp_transport.engine.observing import Connection, Observer, ServedRequest
from mcp_transport.monitoring.gauges import Across, gauges
from mcp_transport.protocol.errors import (
    INSUFFICIENT_SCOPE,
    TOO_MANY_REQUESTS,
    UNAVAILABLE,
)
from mcp_transport.protocol.revisions import PLAIN, REVISIONS

DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
DIRECTORY = os.environ.get(DIRECTORY_VARIABLE)
if DIRECTORY and not Path(DIRECTORY).is_dir():
    raise ImportError(
        f"{DIRECTORY_VARIABLE} names {DIRECTORY!r}, which is no directory: make it, "
        "and empty it whenever the server starts"
    )
try:
    import prometheus_client
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
    from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
except ImportError as error:
    raise ImportError(
        'needs prometheus-client: pip install "django-mcp-transport[metrics]"'
    ) from error

CONTENT_TYPE = prometheus_client.CONTENT_TYPE_LATEST
# How old a gauge may be that another process shows.
REFRESH_S = 5.0
DISTRIBUTION = "django-mcp-transport"
METHODS = frozenset().union(
    *(revision.requests for revision in (*REVISIONS.values(), PLAIN))
)
OTHER = "other"
UNKNOWN = "unknown"
# Requests that were turned away although they were read: the codes are HTTP's.
TURNED_AWAY = (INSUFFICIENT_SCOPE, TOO_MANY_REQUESTS, UNAVAILABLE)
BUCKETS = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
LIVE: dict[Across, Literal["livesum", "livemax"]] = {"sum": "livesum", "max": "livemax"}

DURATION = Histogram(
    "mcp_request_duration_seconds",
    "How long requests took, from their arrival to their response.",
    ("method", "door", "revision", "outcome"),
    buckets=BUCKETS,
)
SENT = Counter("mcp_sent_bytes", "Bytes of the messages that requests sent.", ["door"])
REJECTED = Counter(
    "mcp_rejected",
    "Requests and connections that were turned away, by HTTP status.",
    ["status"],
)
STREAMS = Gauge(
    "mcp_streams",
    "Streams that wait for what may come, and connections that go both ways.",
    ["door"],
    multiprocess_mode="livesum",
)
ENDED = Counter(
    "mcp_connections_ended", "How connections came to an end.", ["door", "ending"]
)
BUILD = Gauge(
    "mcp_build_info",
    "What serves: 1, and its versions.",
    ("version", "python", "django"),
    multiprocess_mode="livemax",
)


class Metrics(Observer):
    """Counts what it is told."""

    def __init__(self) -> None:
        BUILD.labels(_version(), platform.python_version(), django.__version__).set(1)
        if DIRECTORY:
            _refresh_always()

    def request_served(self, request: ServedRequest) -> None:
        method = request.method if request.method in METHODS else OTHER
        revision, door = request.revision or UNKNOWN, request.door
        duration = _duration(method, door, revision, request.outcome.value)
        duration.observe(request.duration_s)
        _sent(door).inc(request.sent_bytes)
        if request.error_code in TURNED_AWAY:
            REJECTED.labels(str(request.error_code)).inc()

    def request_refused(self, status: int, reason: str) -> None:
        REJECTED.labels(str(status)).inc()

    def connection_began(self, connection: Connection) -> None:
        STREAMS.labels(connection.door).inc()

    def connection_ended(self, connection: Connection) -> None:
        STREAMS.labels(connection.door).dec()
        ENDED.labels(connection.door, connection.ending).inc()

    async def drain(self) -> None:
        if DIRECTORY:
            _bury(os.getpid())


# Looking a child up by its labels costs more than counting. There are only so many.
@cache
def _duration(*labels: str) -> Histogram:
    return DURATION.labels(*labels)


@cache
def _sent(door: str) -> Counter:
    return SENT.labels(door)


def _version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return UNKNOWN


@cache
def _shown(name: str, description: str, across: Across) -> Gauge:
    return Gauge(name, description, multiprocess_mode=LIVE[across])


def refresh() -> None:
    """Read what can be read at any moment. Not for the event loop."""
    for gauge in gauges():
        shown = _shown(gauge.name, gauge.description, gauge.across)
        shown.set(gauge.value())


@cache
def _refresh_always() -> None:
    """Read it again and again, for whichever process is asked."""

    def run() -> None:
        never = threading.Event()
        while not never.wait(REFRESH_S):
            refresh()

    threading.Thread(target=run, name="mcp-gauges", daemon=True).start()


def exposition() -> bytes:
    """Return all that is counted, in the text format. Not for the event loop."""
    refresh()
    if not DIRECTORY:
        return prometheus_client.generate_latest()
    for pid in _gone(Path(DIRECTORY)):
        _bury(pid)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return prometheus_client.generate_latest(registry)


def _gone(directory: Path) -> set[int]:
    """Return the processes that have left gauges behind, as one that was killed has."""
    said = {path.stem.rpartition("_")[2] for path in directory.glob("gauge_live*.db")}
    return {int(pid) for pid in said if not _runs(int(pid))}


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _bury(pid: int) -> None:
    mark_process_dead(pid)  # type: ignore[no-untyped-call]
