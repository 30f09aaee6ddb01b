"""Whether the server lives, and whether it can serve."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client, override_settings

from mcp_transport.asgi import Application
from mcp_transport.conf import get_server
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.status import counts, health
from tests.rawasgi import Answer, ask
from tests.status.conftest import TOKEN
from tests.wire.settings import MCP

REACHED = {"store": "ok", "database": "ok"}
PATIENCE_S = 20

pytestmark = pytest.mark.django_db(transaction=True)


async def got(application: Application, path: str, **options: Any) -> Answer:
    headers = {"authorization": options.pop("authorization", None)}
    return await ask(
        application, b"", path=path, method="GET", headers=headers, **options
    )


@pytest.fixture
def afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that was heard is kept."""
    monkeypatch.setattr(health, "KEPT_S", 0.0)


async def test_a_process_that_answers_lives(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It asks nobody.
    monkeypatch.delattr(health, "get_readiness")
    answer = await got(application, "/health/live")
    assert (answer.status, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
async def test_it_is_ready_while_what_it_needs_can_be_reached(
    application: Application, path: str
) -> None:
    answer = await got(application, path)
    assert answer.status == 200
    assert answer.json() == {"status": "ok", "version": "1.0", "checks": REACHED}
    assert "no-store" in answer.values("cache-control")[0]


@pytest.mark.parametrize("name", ["store", "database"])
async def test_it_is_not_ready_while_something_is_away(
    application: Application,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    afresh: None,
    name: str,
) -> None:
    def away() -> int:
        raise {
            "store": StoreUnavailable("redis://:secret@redis"),
            "database": OperationalError("no password for user postgres"),
        }[name]

    places = {"store": (counts, "sessions"), "database": (health, "_ask_database")}
    with monkeypatch.context() as patched:
        patched.setattr(*places[name], away)
        for path in ("/health", "/health/ready"):
            answer = await got(application, path)
            assert answer.status == 503
            assert answer.json() == {
                "status": "unavailable",
                "version": "1.0",
                "checks": {**REACHED, name: "unreachable"},
            }
            assert b"postgres" not in answer.body
            assert b"secret" not in answer.body
    assert f"not ready: the {name} is out of reach" in caplog.text
    assert (await got(application, "/health/live")).status == 200
    assert (await got(application, "/health/ready")).status == 200


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A database that answers when the test is over."""
    over = threading.Event()
    monkeypatch.setattr(health, "TIMEOUT_S", 0.1)
    monkeypatch.setattr(health, "_ask_database", lambda: over.wait(PATIENCE_S))
    yield
    over.set()


async def test_nobody_is_waited_for_for_long(
    application: Application, afresh: None, hanging: None
) -> None:
    for _ in range(health.THREADS + 2):
        answer = await got(application, "/health/ready")
        assert answer.status == 503
        assert answer.json()["checks"]["database"] == "unreachable"


async def test_who_asks_often_does_not_ask_the_database(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = itertools.count(1)
    monkeypatch.setattr(health, "KEPT_S", 60.0)
    monkeypatch.setattr(health, "_ask_database", lambda: next(asked))
    for _ in range(5):
        assert (await got(application, "/health/ready")).status == 200
    assert next(asked) == 2


async def test_many_who_ask_at_once_ask_the_database_once(
    application: Application, monkeypatch: pytest.MonkeyPatch, afresh: None
) -> None:
    asked = itertools.count(1)
    answered = threading.Event()

    def ask_database() -> int:
        answered.wait(PATIENCE_S)
        return next(asked)

    monkeypatch.setattr(health, "TIMEOUT_S", PATIENCE_S)
    monkeypatch.setattr(health, "_ask_database", ask_database)
    readiness = health.Readiness()
    first, *others = [asyncio.create_task(readiness.answers()) for _ in range(20)]
    await asyncio.sleep(0)
    # Whoever goes away takes no answer from the others.
    first.cancel()
    answered.set()
    answers = await asyncio.gather(*others)
    assert [answer["database"] for answer in answers] == [1] * 19
    assert (await readiness.answers())["database"] == 2


async def test_a_process_that_leaves_is_given_no_clients(
    application: Application,
) -> None:
    assert (await got(application, "/health/ready")).status == 200
    get_server().end_streams()
    answer = await got(application, "/health/ready")
    assert (answer.status, answer.json()["status"]) == (503, "draining")
    assert (await got(application, "/health/live")).status == 200


async def test_counts_are_told_to_who_may_read_the_metrics(
    application: Application,
) -> None:
    for wrong in (None, "Bearer alice-token", "Bearer", f"Basic {TOKEN}"):
        answer = await got(application, "/health", authorization=wrong)
        assert answer.status == 200
        assert "counts" not in answer.json()
    answer = await got(application, "/health", authorization=f"Bearer {TOKEN}")
    assert answer.json()["counts"] == {
        "sessions": 0,
        "streams": 0,
        "calls": 0,
        "listeners": 0,
    }


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
async def test_it_is_only_read(application: Application, path: str) -> None:
    answer = await ask(application, b"", path=path, method="OPTIONS")
    assert answer.status == 405
    assert (await ask(application, b"", path=path, method="HEAD")).status == 200


async def test_a_project_without_a_database_is_asked_for_none(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "DATABASES", {"default": {}})
    answer = await got(application, "/health/ready")
    assert answer.json()["checks"] == {"store": "ok"}


def test_under_wsgi_it_is_served_too() -> None:
    with override_settings(MCP=MCP, ROOT_URLCONF="tests.status.urls"):
        for path in ("/health", "/health/live", "/health/ready"):
            assert Client().get(path).status_code == 200


def test_a_project_that_asks_everybody_to_log_in_does_not_ask_here() -> None:
    site = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    with override_settings(MCP=MCP, ROOT_URLCONF="tests.status.urls", MIDDLEWARE=site):
        for path in ("/health", "/health/live", "/health/ready"):
            assert Client().get(path).status_code == 200
        assert Client().get("/metrics").status_code == 403
