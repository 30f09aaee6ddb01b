"""Who may read the metrics, and what they are told."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, RequestFactory, override_settings
from prometheus_client.parser import text_string_to_metric_families

from mcp_transport.asgi import Application
from mcp_transport.conf import get_server
from mcp_transport.status.metrics import metrics
from tests.rawasgi import Answer, ask
from tests.status.conftest import TOKEN
from tests.wire.settings import MCP


async def got(application: Application, authorization: str | None) -> Answer:
    headers = {"authorization": authorization}
    return await ask(application, b"", path="/metrics", method="GET", headers=headers)


async def test_they_are_told_to_who_knows_the_token(application: Application) -> None:
    answer = await got(application, f"Bearer {TOKEN}")
    assert answer.status == 200
    assert answer.values("content-type")[0].startswith("text/plain; version=")
    assert "no-store" in answer.values("cache-control")[0]
    names = {f.name for f in text_string_to_metric_families(answer.body.decode())}
    assert {
        "mcp_requests_in_flight",
        "mcp_listeners",
        "mcp_sessions",
        "mcp_log_depth",
        "mcp_request_duration_seconds",
        "mcp_rejected",
        "mcp_sent_bytes",
        "mcp_streams",
    } <= names


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        "Bearer alice-token",
        f"Basic {TOKEN}",
        f"Bearer {TOKEN}, Bearer {TOKEN}",
    ],
)
async def test_nobody_else_is_told_anything(
    application: Application, authorization: str | None
) -> None:
    answer = await got(application, authorization)
    assert answer.status == 401
    assert answer.values("www-authenticate") == ['Bearer realm="metrics"']
    assert b"mcp_" not in answer.body
    in_query = await ask(
        application,
        b"",
        path="/metrics",
        method="GET",
        headers={"authorization": None},
        query=f"token={TOKEN}".encode(),
    )
    assert in_query.status == 401


@pytest.mark.parametrize("conf", [{}])
async def test_unconfigured_means_refused(
    application: Application, conf: dict[str, Any]
) -> None:
    for authorization in (None, f"Bearer {TOKEN}", "Bearer None", "Bearer "):
        answer = await got(application, authorization)
        assert (answer.status, answer.body) == (
            403,
            b'Not configured: set MCP["METRICS_TOKEN"].\n',
        )


async def test_they_are_only_read(application: Application) -> None:
    answer = await ask(application, b"", path="/metrics", method="OPTIONS")
    assert answer.status == 405


async def test_what_is_missing_is_named(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mcp_transport.monitoring.metrics", None)
    counted = {**MCP, "OBSERVERS": ["mcp_transport.monitoring.Metrics"]}
    with (
        override_settings(MCP=counted),
        pytest.raises(ImproperlyConfigured, match="Metrics', which cannot be imported"),
    ):
        get_server()
    request = RequestFactory().get(
        "/metrics", headers={"authorization": f"Bearer {TOKEN}"}
    )
    with pytest.raises(ImproperlyConfigured, match="^/metrics: "):
        await metrics(request)


def test_under_wsgi_they_are_served_too() -> None:
    with override_settings(
        MCP={**MCP, "METRICS_TOKEN": TOKEN}, ROOT_URLCONF="tests.status.urls"
    ):
        answer = Client().get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert b"mcp_sessions 0.0" in answer.content
