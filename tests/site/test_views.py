"""The site's own pages."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from mcp_transport.protocol.revisions import REVISIONS
from mcpsite.middleware import CONTENT_SECURITY_POLICY

SNIPPET = re.compile(r"<pre[^>]*><code>(.*?)</code></pre>", re.DOTALL)


@pytest.fixture
def home(client: Client) -> str:
    return client.get("/", headers={"host": "localhost:8123"}).content.decode()


def snippets(page: str) -> list[str]:
    return [unescape(text) for text in SNIPPET.findall(page)]


def test_every_configuration_names_the_address_that_was_asked(home: str) -> None:
    endpoint = "http://localhost:8123/mcp"
    about_tokens = [text for text in snippets(home) if "mcp tokens create" in text]
    assert len(about_tokens) == 1
    local = [text for text in snippets(home) if "manage.py" in text and "stdio" in text]
    assert len(local) == 2
    others = [text for text in snippets(home) if text not in about_tokens + local]
    assert len(others) == 7
    assert [text for text in others if endpoint not in text] == []


def test_https_is_named_where_it_was_asked(client: Client) -> None:
    page = client.get("/", secure=True, headers={"host": "localhost"}).content.decode()
    assert "https://localhost/mcp" in page
    assert "http://localhost" not in page


def test_configurations_that_are_json_parse(home: str) -> None:
    parsed = [json.loads(text) for text in snippets(home) if text.startswith("{")]
    assert [sorted(each) for each in parsed] == [
        ["mcpServers"],
        ["mcpServers"],
        ["inputs", "servers"],
        ["mcpServers"],
    ]


def test_the_home_page_lists_revisions_and_documents(home: str) -> None:
    assert [name for name in REVISIONS if name not in home] == []
    assert 'href="/docs/fog-signal.md">The fog signal</a>' in home
    assert "When it sounds, and how far it carries." in home


def test_the_home_page_does_not_show_the_catalogue(home: str) -> None:
    for name in ("find_features", "list_feedback", "leave_feedback", "review_docs"):
        assert name not in home


def test_nothing_on_the_home_page_is_inline(home: str) -> None:
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", home) == []
    assert re.findall(r"<script(?! src=\")", home) == []


@pytest.mark.parametrize("path", ["/", "/docs/lamp.md", "/docs/gone.md", "/admin/"])
@pytest.mark.django_db
def test_pages_carry_their_security_headers(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.filterwarnings("ignore")
def test_a_foreign_host_is_refused(client: Client) -> None:
    response = client.get("/", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert b"evil.example" not in response.content


def test_the_home_page_sets_no_cookie_and_is_only_read(client: Client) -> None:
    assert dict(client.get("/").cookies) == {}
    assert client.head("/").status_code == 200
    assert client.post("/").status_code == 405


def test_a_document_is_sent_as_it_is_written(client: Client) -> None:
    response = client.get("/docs/fog-signal.md")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode().startswith("# The fog signal\n")


@pytest.mark.parametrize("name", ["gone", "..%2Fsettings", "%2e%2e", "Lamp", "lamp.md"])
def test_only_documents_are_sent(client: Client, name: str) -> None:
    assert client.get(f"/docs/{name}.md").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_health_is_told_to_everybody_and_the_metrics_are_not(
    client: Client, site_settings: dict[str, Any]
) -> None:
    response = client.get("/health")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "version": site_settings["MCP"]["VERSION"],
        "checks": {"store": "ok", "database": "ok"},
    }
    assert client.get("/metrics").status_code == 403
