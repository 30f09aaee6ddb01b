"""The page of the console: what it is told, and what it may do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.urls import URLPattern, include, path

from mcp_transport.console import Console
from mcp_transport.protocol.revisions import REVISIONS

OPTION = re.compile(r'<option value="([^"]+)" data-path="([^"]+)">')

urlpatterns: list[Any] = [
    path("bare/", Console.as_view()),
    path("tickets/", Console.as_view(tickets_url="/api/tickets/")),
    path("moved/", Console.as_view(endpoint="/deep/mcp")),
]

here = override_settings(ROOT_URLCONF=__name__)


class beside:
    """The console in a project that has the endpoints in its urls."""

    urlpatterns: list[URLPattern | Any] = [
        path("console/", Console.as_view()),
        path("models/", include("mcp_transport.urls")),
    ]


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def doors(text: str) -> dict[str, str]:
    return dict(OPTION.findall(text))


@here
def test_every_door_is_offered_where_mount_has_it(client: Client) -> None:
    assert doors(page(client, "/bare/")) == {
        "streamable-http": "/mcp",
        "sse": "/sse",
        "websocket": "/ws",
    }


@here
def test_a_door_that_is_not_served_is_not_offered(client: Client) -> None:
    with override_settings(MCP={"TRANSPORTS": ["streamable-http", "plain"]}):
        assert list(doors(page(client, "/bare/"))) == ["streamable-http"]


@here
def test_the_endpoint_may_be_elsewhere(client: Client) -> None:
    assert set(doors(page(client, "/moved/")).values()) == {
        "/deep/mcp",
        "/deep/sse",
        "/deep/ws",
    }


def test_the_endpoint_is_where_the_urls_have_it(client: Client) -> None:
    with override_settings(ROOT_URLCONF=beside):
        assert doors(page(client, "/console/"))["streamable-http"] == "/models/mcp"


@here
def test_every_revision_can_be_chosen(client: Client) -> None:
    text = page(client, "/bare/")
    for name, revision in REVISIONS.items():
        (option,) = re.findall(f'<option value="{name}"([^>]*)>', text)
        assert ("data-stateless" in option) is not revision.stateful


@here
def test_nothing_of_the_page_is_inline(client: Client) -> None:
    text = page(client, "/bare/")
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", text) == []
    assert re.findall(r"<script(?![^>]* src=\")", text) == []


@here
def test_it_may_connect_anywhere_and_load_nothing_from_there(client: Client) -> None:
    policy = client.get("/bare/")["Content-Security-Policy"]
    directives = dict(each.split(" ", 1) for each in policy.split("; "))
    assert directives["default-src"] == "'self'"
    assert directives["connect-src"] == "'self' http: https: ws: wss:"
    assert "script-src" not in directives
    assert directives["frame-ancestors"] == "'none'"


def test_the_site_lets_the_policy_be(client: Client) -> None:
    with override_settings(
        ROOT_URLCONF="mcpsite.urls",
        MIDDLEWARE=["mcpsite.middleware.content_security_policy"],
    ):
        response = client.get("/console/")
    assert response["Content-Security-Policy"] == Console.content_security_policy


@here
def test_it_is_only_to_be_got(client: Client) -> None:
    assert client.post("/bare/").status_code == 405


@here
@pytest.mark.django_db
def test_a_user_who_is_logged_in_may_come_by_that(client: Client) -> None:
    stranger = page(client, "/tickets/")
    assert "data-csrf" not in stranger
    assert 'value="login" disabled' in stranger
    client.force_login(User.objects.create_user("ada <b>"))
    response = client.get("/tickets/")
    known = response.content.decode()
    assert "ada &lt;b&gt;, by my login here" in known
    assert re.search(r'data-tickets="/api/tickets/" data-csrf="\w{64}"', known)
    assert "no-store" in response["Cache-Control"]


@here
@pytest.mark.django_db
def test_without_tickets_a_login_is_worth_nothing(client: Client) -> None:
    client.force_login(User.objects.create_user("ada"))
    response = client.get("/bare/")
    assert "data-csrf" not in response.content.decode()
    assert "Cache-Control" not in response.headers
