"""Where clients find who issues tokens: the document, and the challenge that names it.

Spec: 2026-07-28 basic/authorization; RFC 9728 sections 3 and 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from mcp_transport.asgi import Application
from mcp_transport.conf import read
from mcp_transport.protocol.resource_metadata import (
    is_public_url,
    metadata_path,
    metadata_url,
)
from tests.rawasgi import ask
from tests.wire.conftest import MCP, MOUNTS

SERVER = "https://login.example.com/"
RESOURCE = "https://shop.example.com/mcp"
BARE = "/.well-known/oauth-protected-resource"
TOLD = {**MCP, "AUTHORIZATION_SERVERS": [SERVER], "RESOURCE_URL": RESOURCE}


@pytest.fixture(params=MOUNTS)
def mount(request: pytest.FixtureRequest) -> Iterator[Any]:
    with override_settings(MIDDLEWARE=[], ROOT_URLCONF="tests.wire.urls", MCP=TOLD):
        yield MOUNTS[request.param]


@pytest.mark.parametrize("path", [BARE, f"{BARE}/mcp"])
async def test_everybody_is_told(mount: Any, path: str) -> None:
    headers = {"authorization": None, "origin": "https://anywhere.example"}
    answer = await ask(mount(), method="GET", path=path, headers=headers)
    assert answer.status == 200
    assert answer.json() == {
        "resource": RESOURCE,
        "authorization_servers": [SERVER],
        "bearer_methods_supported": ["header"],
    }
    assert answer.values("access-control-allow-origin") == ["*"]
    assert answer.values("cache-control") == ["public, max-age=3600"]


async def test_nothing_else_is_there(mount: Any) -> None:
    application: Application = mount()
    for path in (f"{BARE}/other", f"{BARE}/mcp/more"):
        assert (await ask(application, method="GET", path=path)).status == 404
    assert (await ask(application, method="POST", path=BARE)).status == 405
    with override_settings(MCP=MCP):
        assert (await ask(mount(), method="GET", path=BARE)).status == 404


@pytest.mark.parametrize(
    ("authorization", "error"),
    [
        (None, ""),
        (
            "Bearer wrong",
            ', error="invalid_token", error_description="the token is not valid"',
        ),
    ],
)
async def test_the_challenge_names_it(
    mount: Any, authorization: str | None, error: str
) -> None:
    answer = await ask(mount(), headers={"authorization": authorization})
    assert answer.status == 401
    where = f'resource_metadata="https://shop.example.com{BARE}/mcp"'
    assert answer.values("www-authenticate") == [f'Bearer realm="mcp"{error}, {where}']


def test_where_it_is_follows_from_the_resource() -> None:
    assert metadata_url(RESOURCE) == f"https://shop.example.com{BARE}/mcp"
    assert metadata_url("https://a.example:8443/") == f"https://a.example:8443{BARE}"
    assert metadata_path("https://a.example/x/mcp/") == f"{BARE}/x/mcp"


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://a.example", True),
        ("https://a.example:8443/mcp", True),
        ("http://localhost:8000/mcp", True),
        ("http://[::1]:8000/mcp", True),
        ("http://a.example/mcp", False),
        ("https:///mcp", False),
        ("https://a.example/mcp?x=1", False),
        ("https://a.example/mcp#x", False),
        ('https://a.example/"', False),
        ("https://a.example/\n", False),
        ("https://[", False),
        ("/mcp", False),
        ("", False),
    ],
)
def test_what_may_be_told(url: str, public: bool) -> None:
    assert is_public_url(url) is public


def test_a_server_without_a_resource_is_said() -> None:
    _, problems = read({"AUTHORIZATION_SERVERS": [SERVER]})
    assert problems == ['MCP["AUTHORIZATION_SERVERS"] needs MCP["RESOURCE_URL"]']
